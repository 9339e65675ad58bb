#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two control planes share a state on PostgreSQL; either is killed in the middle of a run, one is paused past its leases.

The run that the killed one was at is finished by the other, each job and each action once; the gateway answers all the while. The paused one
finds out that its services were taken over, writes nothing, and steps down. The moments are drawn with a seed that is printed (ISOBAR_SEED
sets it).
"""
import contextlib
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

from scenario import GOAL, ROOT, Client, Skipped, image_pixels, is_alive, need, run_test, same, wait_for

SHARED = ("pocket", "local", "gateways")
COPIED = ("ca.pem", "ca.key", "key-hash.secret", "shop-app.key", "environment") # as `isobar restore` brings them; secrets are no links


class Server:
    """The PostgreSQL of the test run, and a schema of its own in it."""

    def __init__(self, s):
        self.folder = os.path.join(s.folder, "postgres")
        os.mkdir(self.folder)
        os.chmod(s.folder, 0o755)
        done = subprocess.run([os.path.join(ROOT, "tests/lib/postgres"), "start", self.folder], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode == 77:
            raise Skipped(done.stdout.strip())
        same(done.returncode, 0, "exit code of tests/lib/postgres start")
        self.socket = done.stdout.splitlines()[0]
        self.schema = "planes_%d" % os.getpid()
        self.url = "%s&schema=%s" % (self.socket, self.schema)

    def rows(self, query):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", self.socket, "-c",
                               "SET search_path TO %s" % self.schema, "-c", query], capture_output=True, text=True, check=False)
        need(done.returncode == 0, "psql: %s", done.stderr)
        return done.stdout.splitlines()

    def stop(self):
        subprocess.run([os.path.join(ROOT, "tests/lib/postgres"), "stop", self.folder], check=False)


class Plane:
    def __init__(self, s, folder):
        self.s, self.folder, self.starts, self.process = s, folder, 0, None

    def start(self):
        self.starts += 1
        self.log = os.path.join(self.folder, "up-%d.log" % self.starts)
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = self.s.start("up", "--foreground", folder=self.folder, stdout=log, stderr=log)
        wait_for("the control plane in %s" % self.folder, self.is_up, seconds=30)

    def is_up(self):
        need(self.process.poll() is None, "the control plane ended:\n%s", self.text())
        with contextlib.suppress(OSError, ValueError), open(os.path.join(self.folder, ".isobar/control.json"), encoding="utf-8") as file:
            return json.load(file)["pid"] == self.process.pid
        return False

    def text(self):
        with open(self.log, encoding="utf-8") as file:
            return file.read()

    def kill(self):
        self.process.kill()
        self.process.wait()


class Load(threading.Thread):
    """Asks the gateway all the time; every answer must be 200."""

    def __init__(self, folder):
        super().__init__()
        self.client, self.pixels = Client(folder), image_pixels(folder, 0, 2)
        self.end, self.answers, self.bad = threading.Event(), 0, []

    def run(self):
        while not self.end.is_set():
            try:
                status, answer = self.client.infer(self.pixels)
            except OSError as why:
                status, answer = 0, str(why)
            self.answers += status == 200
            if status != 200:
                self.bad.append((status, answer))
            self.end.wait(0.02)

    def stop(self):
        self.end.set()
        self.join()
        self.client.close()


def declare(folder, url, seed):
    """The small workspace with its state on the server; another seed of the training makes another model."""
    path = os.path.join(ROOT, "tests/scenario/small/isobar.yaml")
    with open(path, encoding="utf-8") as small, open(os.path.join(folder, "isobar.yaml"), "w", encoding="utf-8") as out:
        out.write(small.read().replace("seed: 1}", "seed: %d}" % seed) + "\nstate: {url: \"%s\"}\n" % url)


def second_folder(s, first):
    """Another host's folder on this machine: its own locks and sockets, the same clouds and keys."""
    folder = os.path.join(s.folder, "second")
    os.makedirs(os.path.join(folder, ".isobar"), 0o700)
    shutil.copytree(os.path.join(first, "data"), os.path.join(folder, "data"))
    for name in SHARED:
        os.symlink(os.path.join(first, ".isobar", name), os.path.join(folder, ".isobar", name))
    for name in COPIED:
        if os.path.exists(os.path.join(first, ".isobar", name)):
            shutil.copy2(os.path.join(first, ".isobar", name), os.path.join(folder, ".isobar", name))
    return folder


def versions(plane):
    models = plane.s.run("models", "-o", "json", folder=plane.folder).json()["models"]
    return len(models[0]["versions"]) if models else 0


def jobs_ended(folder):
    """{CLOUD/JOB: how often its program came to its end}"""
    found = {}
    for path in glob.glob(os.path.join(folder, ".isobar/local/*/jobs/*")):
        with open(os.path.join(path, "log"), encoding="utf-8", errors="replace") as file:
            found["/".join(path.split("/")[-3::2])] = sum(line.endswith(": done\n") for line in file)
    return found


def killed_in_a_run(draw, server, victim, other, seed):
    """A new run through the victim, which is killed at a moment of it; the other finishes it."""
    for plane in (victim, other):
        declare(plane.folder, server.url, seed)
    had = versions(other)
    other.s.apply(victim.folder)
    before = int(server.rows("SELECT head FROM counter")[0])
    moment = before + draw.randrange(2, 40)
    client = other.s.start("run", GOAL, folder=victim.folder)
    wait_for("event %d" % moment, lambda: int(server.rows("SELECT head FROM counter")[0]) >= moment or versions(other) > had, seconds=60)
    victim.kill()
    client.communicate()
    print("killed %s at event %d of its run" % (os.path.basename(victim.folder), int(server.rows("SELECT head FROM counter")[0]) - before))
    wait_for("the run to be finished by the other", lambda: versions(other) > had and not server.rows(
        "SELECT key FROM record WHERE key = 'run/open'"), seconds=90, pause=0.2)
    same(versions(other), had + 1, "versions of the model")
    same(server.rows("SELECT key FROM record WHERE key LIKE 'intent/train%'"), [], "intents of the run that are open")


def holder(server, name):
    rows = server.rows("SELECT holder FROM lease WHERE name = '%s' AND expires_ns > extract(epoch FROM clock_timestamp()) * 1e9" % name)
    return rows[0] if rows else ""


def paused(server, planes):
    """The one that runs the deploy loop is stopped until the other has taken over, then it wakes up."""
    who = wait_for("somebody to deploy", lambda: holder(server, "service/deploy"))
    sleeper = next(plane for plane in planes if who.split("/")[1] == str(plane.process.pid))
    sleeper.process.send_signal(signal.SIGSTOP)
    taken = wait_for("the other to take over", lambda: holder(server, "service/deploy") not in ("", who) and holder(server, "service/deploy"))
    sleeper.process.send_signal(signal.SIGCONT)
    wait_for("the one that slept to step down", lambda: "the service deploy was taken over by another control plane: stepping down" in
             sleeper.text())
    need(is_alive(sleeper.process.pid), "the one that slept ended")
    same(holder(server, "service/deploy").split("/")[1], taken.split("/")[1], "who deploys")
    wait_for("the one that slept to join again", lambda: len(sleeper.s.status(sleeper.folder)["control_planes"]) == 2)


def check_events(server):
    twice = server.rows("SELECT data::json->>'action', count(*) FROM event WHERE type = 'action.done' GROUP BY 1 HAVING count(*) > 1")
    same(twice, [], "actions that were done twice")
    same(server.rows("SELECT count(*) = max(sequence) FROM event"), ["t"], "no gaps in the journal")


def exercise(s, server, draw):
    first = s.workspace("first")
    declare(first, server.url, 1)
    s.apply(first)
    s.make(first)
    planes = [Plane(s, first), Plane(s, second_folder(s, first))]
    declare(planes[1].folder, server.url, 1)
    for plane in planes:
        plane.start()
    for plane in planes:
        wait_for("both to be known", lambda plane=plane: len(s.status(plane.folder)["control_planes"]) == 2)
    load = Load(first)
    load.start()
    try:
        for turn in range(2):
            victim, other = planes[turn], planes[1 - turn]
            killed_in_a_run(draw, server, victim, other, 2 + turn)
            victim.start()
        paused(server, planes)
    finally:
        load.stop()
    same(load.bad, [], "answers of the gateway that were none (of %d)" % load.answers)
    need(load.answers > 20, "only %d answers", load.answers)
    ended = jobs_ended(first)
    need(len(ended) > 20, "only %d jobs", len(ended))
    same({job: times for job, times in ended.items() if times != 1}, {}, "jobs that did not come to their end once")
    check_events(server)
    for plane in planes:
        need(s.plan_is_empty(plane.folder), "a plan has something to do")
    s.run("down", folder=planes[1].folder)
    same(len(s.status(first)["control_planes"]), 1, "control planes that are left")
    client = Client(first)
    same(client.infer(image_pixels(first, 0, 1))[0], 200, "the gateway after one control plane went")
    client.close()
    s.run("down", folder=first)


def test(s):
    if not shutil.which("psql"):
        raise Skipped("PostgreSQL is not installed: apt-get install postgresql")
    linked = subprocess.run(["ldd", os.path.join(s.build, "isobar")], capture_output=True, text=True, check=True).stdout
    need("libpq" not in linked and "libsqlite3" in linked, "libpq is linked:\n%s", linked)
    seed = int(os.environ.get("ISOBAR_SEED", random.SystemRandom().randrange(1 << 32)))
    print("seed %d (ISOBAR_SEED repeats it)" % seed)
    began = time.monotonic()
    server = Server(s)
    try:
        exercise(s, server, random.Random(seed))
    finally:
        for log in sorted(glob.glob(os.path.join(s.folder, "*/up-*.log"))) if sys.exc_info()[0] else []:
            print("---- %s" % log)
            with open(log, encoding="utf-8", errors="replace") as file:
                print("".join(file.readlines()[-15:]))
        server.stop()
    print("%.1f s" % (time.monotonic() - began))


run_test(test)
