#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backups: made while a control plane works, restored into empty places on SQLite and PostgreSQL and from one to the other, refused where
something would be lost, and whole or not at all when the restore is killed."""
import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import threading

from scenario import ROOT, Skipped, need, run_test, same, state_query, wait_for

PHRASE = "correct horse battery"
ENV = {"PHRASE": PHRASE, "WRONG": "another horse battery"}
KEYS = ("ca.pem", "ca.key", "key-hash.secret")


def place(s, name, url=""):
    """An empty folder for the same workspace; url: its state on PostgreSQL."""
    folder = os.path.join(s.folder, name)
    os.mkdir(folder)
    shutil.copytree(os.path.join(s.folder, "w", "data"), os.path.join(folder, "data"))
    shutil.copy(os.path.join(s.folder, "w", "isobar.yaml"), folder)
    if url:
        with open(os.path.join(folder, "isobar.yaml"), "a", encoding="utf-8") as file:
            file.write("\nstate: {url: \"%s\"}\n" % url)
    return folder


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def content(path):
    """What a backup holds of the state, but for what restoring itself adds."""
    found = []
    for line in lines(path)[1:-1]:
        line.pop("file", None)
        line.pop("revision", None)
        line.pop("lease", None)
        event = line.get("event", {})
        if line and event.get("type") != "state.restored" and line.get("record", {}).get("key") != "restore/last":
            found.append(line)
    return found


def keys_of(folder):
    found = {}
    for name in KEYS:
        with contextlib.suppress(OSError), open(os.path.join(folder, ".isobar", name), "rb") as file:
            found[name] = file.read()
    return found


def backup(s, folder, name, *more, expect=0):
    path = os.path.join(s.folder, name)
    return path, s.run("backup", *more, path, folder=folder, env=ENV, expect=expect)


def restore(s, folder, path, *more, expect=0, **env):
    return s.run("restore", *more, path, folder=folder, env={**ENV, **env}, expect=expect)


def made_while_used(s, folder):
    """A backup is one moment: its journal has no gap, though events are added all the time."""
    up = s.start("up", "--foreground", folder=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the control plane", lambda: os.path.exists(os.path.join(folder, ".isobar/control.json")))
    end = threading.Event()

    def work():
        while not end.is_set():
            s.run("run", "model/classifier@champion", folder=folder)
            s.apply(folder)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for i in range(3):
            path, _ = backup(s, folder, "live-%d" % i, "--passphrase", "env:PHRASE")
            numbers = [line["event"]["sequence"] for line in lines(path) if "event" in line]
            same(numbers, list(range(1, len(numbers) + 1)), "numbers of events")
        refused = restore(s, folder, path, "--force", "--passphrase", "env:PHRASE", expect=5)
        need("end it with isobar down" in refused.err, "%s", refused)
    finally:
        end.set()
        worker.join()
        up.terminate()
        up.wait()


def sealed_and_refused(s, folder):
    _, said = backup(s, folder, "none", expect=2)
    need("--passphrase" in said.err and "--without-keys" in said.err and "--plain-keys" in said.err, "%s", said)
    path, _ = backup(s, folder, "sealed", "--passphrase", "env:PHRASE")
    same(stat.S_IMODE(os.stat(path).st_mode), 0o600, "mode of the backup")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    need("PRIVATE KEY" not in text and PHRASE not in text, "a key or the passphrase can be read in the backup")
    files = {line["file"]["name"]: line["file"] for line in lines(path) if "file" in line}
    need(set(KEYS) <= set(files) and any(name.startswith("local/") for name in files), "files of the backup: %s", sorted(files))
    need(all("sealed" in one for one in files.values() if one["secret"]), "a secret file is not sealed")
    backup(s, folder, "sealed", "--passphrase", "env:PHRASE", expect=5)  # never over an existing file
    bare, _ = backup(s, folder, "bare", "--without-keys")
    same([line["file"]["name"] for line in lines(bare) if "file" in line], ["ca.pem"], "files of a backup without keys")
    return path


def into_empty_places(s, path, url):
    """SQLite -> SQLite, SQLite -> PostgreSQL, PostgreSQL -> SQLite: always the same."""
    wanted, keys = content(path), keys_of(os.path.join(s.folder, "w"))
    first = place(s, "first")
    need("sealed" in restore(s, first, path, expect=2).err, "a sealed backup was restored without a passphrase")
    need("does not open" in restore(s, first, path, "--passphrase", "env:WRONG", expect=4).err, "a wrong passphrase was taken")
    same([sorted(keys_of(first)), state_query(first, "SELECT count(*) FROM event")], [[], [(0,)]], "what refused restores left")
    need(not os.path.exists(os.path.join(first, ".isobar/restoring")), "a refused restore left its folder")
    previous = path
    for name, where in (("sqlite", first), ("postgres", place(s, "second", url)), ("again", place(s, "third"))):
        restore(s, where, previous, "--passphrase", "env:PHRASE")
        same(keys_of(where), keys, "keys after %s" % name)
        previous, _ = backup(s, where, "from-" + name, "--passphrase", "env:PHRASE")
        same(lines(previous)[0]["state"], "postgresql" if name == "postgres" else "sqlite", "where the backup came from")
        same(content(previous), wanted, "the state after %s" % name)
        same(s.run("models", "-o", "json", folder=where).json(), s.run("models", "-o", "json", folder=os.path.join(s.folder, "w")).json(), "models")
    need("--force" in restore(s, first, path, "--passphrase", "env:PHRASE", expect=5).err, "a state was replaced without --force")
    restore(s, first, path, "--passphrase", "env:PHRASE", "--force")
    # A state is not left behind: the folder that used SQLite so far does not begin anew on an empty server.
    with open(os.path.join(first, "isobar.yaml"), "a", encoding="utf-8") as file:
        file.write("\nstate: {url: \"%s_x\"}\n" % url)
    need("isobar restore" in s.run("models", folder=first, expect=5).err, "an empty state on a server was taken for the workspace's")


def killed(s, path):
    """At both boundaries of the load: the old state, or all of the new one with its keys."""
    wanted = content(path)
    for at, done in ((1, False), (2, True)):
        folder = place(s, "killed-%d" % at)
        code = restore(s, folder, path, "--passphrase", "env:PHRASE", expect=None, ISOBAR_CRASH_AT=at).code
        same(code, -signal.SIGKILL, "how the restore ended")
        same(sorted(keys_of(folder)), [], "keys in their places before the next start")
        s.run("models", folder=folder)
        same(sorted(keys_of(folder)), sorted(KEYS) if done else [], "keys after the next start")
        need(not os.path.exists(os.path.join(folder, ".isobar/restoring")), "the folder of the restore stayed")
        again, _ = backup(s, folder, "after-%d" % at, "--passphrase", "env:PHRASE")
        same(content(again), wanted if done else [], "the state")
        restore(s, folder, path, "--passphrase", "env:PHRASE", *(["--force"] if done else []))
        same(sorted(keys_of(folder)), sorted(KEYS), "keys after the restore that was repeated")


def test(s):
    folder = s.workspace("w")
    server = os.path.join(s.folder, "postgres")
    os.mkdir(server)
    os.chmod(s.folder, 0o755)
    done = subprocess.run([os.path.join(ROOT, "tests/lib/postgres"), "start", server], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 77:
        raise Skipped(done.stdout.strip())
    same(done.returncode, 0, "exit code of tests/lib/postgres start")
    try:
        s.apply(folder)
        s.make(folder)
        made_while_used(s, folder)
        path = sealed_and_refused(s, folder)
        into_empty_places(s, path, "%s&schema=backup_%d" % (done.stdout.splitlines()[0], os.getpid()))
        killed(s, path)
        s.run("down", folder=folder)
    finally:
        subprocess.run([os.path.join(ROOT, "tests/lib/postgres"), "stop", server], check=False)


run_test(test)
