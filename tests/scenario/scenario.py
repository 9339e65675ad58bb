#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tests of the real program share. Python 3 alone.

In a test:       from scenario import Scenario, run_test
                 def test(s): ...        s is a Scenario: a folder of its own, the program, and waiting
                 run_test(test)
On a command line (for tests/scenario/lib.sh):
    scenario.py data FOLDER                 2,500 + 500 images of the distribution's data set, as idx files
    scenario.py leftovers FOLDER            ends what still runs for FOLDER; exit 1 when there was something
    scenario.py reports FOLDER              exit 1 when a sanitizer reported something into a log
    scenario.py infer FOLDER [COUNT]        asks the gateway of FOLDER about test images; prints STATUS and the classes

A process belongs to a test when its command line, its working folder or its environment names the test's folder: all that
Isobar starts is given paths of the workspace. A test fails when it leaves one behind.
"""
import contextlib
import gzip
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
IMAGES = "/usr/share/datasets/fashion-mnist"
CLOUDS = ("aws-us", "gcp-eu", "azure-eu")
GOAL = "model/classifier@champion"
SLOW = 10 if os.environ.get("ISOBAR_SANITIZER") else 1
REPORT = re.compile(rb"(ERROR|WARNING): \w+Sanitizer|runtime error: |SUMMARY: \w+Sanitizer")


class Failed(Exception):
    """What did not hold."""


class Skipped(Exception):
    """Why the test cannot run here."""


def need(condition, text, *values):
    if not condition:
        raise Failed(text % values if values else text)


def same(got, wanted, what):
    need(got == wanted, "%s: expected %r, got %r", what, wanted, got)


# ------------------------------------------------------------------ data


def cut_idx(source, target, count):
    """The first `count` records of a gzipped idx file, plain."""
    with gzip.open(source) as whole:
        magic = whole.read(4)
        shape = struct.unpack(">%dI" % magic[3], whole.read(4 * magic[3]))
        record = 1
        for length in shape[1:]:
            record *= length
        body = whole.read(count * record)
    with open(target, "wb") as out:
        out.write(magic + struct.pack(">%dI" % magic[3], count, *shape[1:]) + body)


def make_data(folder, train=2500, test=500):
    if not os.path.isdir(IMAGES):
        raise Skipped("the package dataset-fashion-mnist is not installed")
    os.makedirs(folder)
    for part, count in (("train", train), ("t10k", test)):
        for what in ("images-idx3", "labels-idx1"):
            name = "%s-%s-ubyte" % (part, what)
            cut_idx(os.path.join(IMAGES, name + ".gz"), os.path.join(folder, name), count)


# ------------------------------------------------------------------ processes


def read_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def link_text(path):
    try:
        return os.readlink(path).encode()
    except OSError:
        return b""


def state_of(pid):
    """R, S, Z and so on; empty when there is no such process."""
    text = read_bytes("/proc/%d/stat" % pid)
    return text[text.rfind(b")") + 2:][:1].decode() if text else ""


def is_alive(pid):
    return state_of(pid) not in ("", "Z", "X")


def ancestors():
    """This process and those that started it: they may name the folder, too."""
    found, pid = set(), os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        text = read_bytes("/proc/%d/stat" % pid)
        pid = int(text[text.rfind(b")") + 2:].split()[1]) if text else 0
    return found


def processes_of(folder):
    """{pid: command line} of what runs for the folder."""
    needle, found, own = os.fsencode(folder), {}, ancestors()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) in own or not is_alive(int(name)):
            continue
        where = "/proc/%s/" % name
        command = read_bytes(where + "cmdline")
        if needle in command or needle in link_text(where + "cwd") or needle in read_bytes(where + "environ"):
            found[int(name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def kill_all(pids, number=signal.SIGKILL):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def end_leftovers(folder):
    """Kills what runs for the folder until nothing does; returns what there was at first."""
    first = processes_of(folder)
    rest = first
    while rest:
        kill_all(rest)
        time.sleep(0.05)
        rest = processes_of(folder)
    return first


def reports_in(folder):
    """Lines of sanitizers in the logs below the folder."""
    found = []
    for where, _, names in os.walk(folder):
        for name in names:
            if "log" not in name and not name.endswith(("out", "err")):
                continue
            path = os.path.join(where, name)
            found += [(path, line.decode(errors="replace")) for line in read_bytes(path).splitlines() if REPORT.search(line)]
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, probe, seconds=20.0, pause=0.02):
    """The first true answer of probe()."""
    give_up = time.monotonic() + seconds * SLOW
    while True:
        answer = probe()
        if answer:
            return answer
        need(time.monotonic() < give_up, "%s: not within %.0f s", what, seconds * SLOW)
        time.sleep(pause)


# ------------------------------------------------------------------ the gateway as a client sees it


def image_pixels(folder, first, count):
    with open(os.path.join(folder, "data", "t10k-images-idx3-ubyte"), "rb") as file:
        file.seek(16 + 784 * first)
        return [byte / 255 for byte in file.read(784 * count)]


def infer_body(pixels):
    return json.dumps({"inputs": [{"name": "image", "datatype": "FP32", "shape": [len(pixels) // 784, 784], "data": pixels}]})


class Client:
    """Asks the gateway of a workspace, over TLS with the workspace's CA."""

    def __init__(self, folder, key=True):
        with open(os.path.join(folder, ".isobar/gateways/edge/announce.json")) as file:
            url = json.load(file)["url"]
        trust = ssl.create_default_context(cafile=os.path.join(folder, ".isobar/ca.pem"))
        self.connection = http.client.HTTPSConnection(url.split("//")[1], context=trust, timeout=30 * SLOW)
        self.headers = {"content-type": "application/json"}
        if key:
            with open(os.path.join(folder, ".isobar/shop-app.key")) as file:
                self.headers["authorization"] = "Bearer " + file.read().strip()

    def infer(self, pixels):
        """(status, answer as text)"""
        self.connection.request("POST", "/v2/models/classify/infer", infer_body(pixels), self.headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read().decode()

    def close(self):
        self.connection.close()


# ------------------------------------------------------------------ a test


class Ended:
    """A command that ended."""

    def __init__(self, command, code, out, err):
        self.command, self.code, self.out, self.err = command, code, out, err

    def __str__(self):
        text = "\n".join("    " + line for line in (self.out + self.err).splitlines()[-30:])
        return "`%s` ended with %s:\n%s" % (" ".join(self.command), self.code, text)

    def json(self):
        return json.loads(self.out)


class Scenario:
    def __init__(self, build):
        self.build = build
        self.isobar = os.path.join(build, "isobar")
        self.folder = tempfile.mkdtemp(prefix="isobar-test-")
        self.mounts = []

    # ---- commands
    def start(self, *arguments, folder=None, env=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more):
        whole = {**os.environ, **{name: str(value) for name, value in (env or {}).items()}}
        return subprocess.Popen([self.isobar, *map(str, arguments)], cwd=folder or self.folder, env=whole, text=True, errors="replace",
                                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, **more)

    def run(self, *arguments, expect=0, seconds=60, **more):
        """Runs `isobar arguments`; expect is the exit code (None: any; negative: a signal)."""
        process = self.start(*arguments, **more)
        try:
            out, err = process.communicate(timeout=seconds * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise Failed("%s" % Ended(["isobar", *map(str, arguments)], "a timeout of %d s" % (seconds * SLOW), out, err)) from None
        ended = Ended(["isobar", *map(str, arguments)], process.returncode, out, err)
        need(expect is None or ended.code == expect, "expected %s, but %s", expect, ended)
        need(not REPORT.search(err.encode()), "a sanitizer spoke: %s", ended)
        return ended

    # ---- workspaces
    def workspace(self, name="w", images=True):
        """A copy of the small job's workspace."""
        folder = os.path.join(self.folder, name)
        os.mkdir(folder, 0o755)
        shutil.copy(os.path.join(HERE, "small", "isobar.yaml"), folder)
        if images:
            make_data(os.path.join(folder, "data"))
        return folder

    def apply(self, folder, **more):
        return self.run("apply", "--auto-approve", folder=folder, **more)

    def make(self, folder, goal=GOAL, **more):
        return self.run("run", goal, folder=folder, **more)

    def plan_is_empty(self, folder):
        return self.run("plan", "-o", "json", folder=folder).json()["empty"]

    def status(self, folder):
        return self.run("status", "-o", "json", folder=folder).json()

    def pocket_pid(self, folder, cloud):
        with open(os.path.join(folder, ".isobar/pocket", cloud, "announce.json")) as file:
            return json.load(file)["pid"]

    # ---- the end
    def mount_small(self, name, size):
        """A file system of a few bytes; needs root."""
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,mode=0755" % size, "tmpfs", folder], capture_output=True,
                              check=False)
        if done.returncode:
            return None
        self.mounts.append(folder)
        return folder

    def close(self):
        """What was left running, killed now."""
        left = end_leftovers(self.folder)
        for mount in self.mounts:
            subprocess.run(["umount", mount], check=False)
        return left

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def state_query(folder, query, *values):
    """Rows of the state database, read only: what a test looks at behind the program's back."""
    with contextlib.closing(sqlite3.connect("file:%s/.isobar/state.db?mode=ro" % folder, uri=True)) as db:
        return db.execute(query, values).fetchall()


def sha256_text(data):
    return hashlib.sha256(data).hexdigest()


def judge(s, test):
    """Runs the test and looks after it; returns the exit code."""
    code = 0
    try:
        test(s)
    except Skipped as why:
        print("skipped: %s" % why)
        code = 77
    except Failed as why:
        print("FAILED: %s" % why)
        code = 1
    except Exception:  # a mistake in the test, or an answer that it could not read
        traceback.print_exc()
        code = 1
    reports = reports_in(s.folder)
    left = s.close()
    for path, line in reports:
        print("FAILED: a sanitizer spoke in %s: %s" % (path, line))
    if left and not code:
        print("FAILED: left running:\n%s" % "\n".join("    %d %s" % one for one in left.items()))
    return 1 if reports or (left and not code) else code


def run_test(test):
    if len(sys.argv) != 2:
        sys.exit("usage: %s BUILD-FOLDER" % sys.argv[0])
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(1))
    s = Scenario(os.path.abspath(sys.argv[1]))
    code = judge(s, test)
    if code in (0, 77) or not os.environ.get("ISOBAR_KEEP"):
        s.remove()
    else:
        print("kept: %s" % s.folder)
    sys.exit(code)


# ------------------------------------------------------------------ command line


def main_infer(folder, count="3"):
    client = Client(folder)
    status, answer = client.infer(image_pixels(folder, 0, int(count)))
    client.close()
    print(status, json.loads(answer)["outputs"][0]["data"] if status == 200 else answer)
    return 0 if status == 200 else 1


def main_leftovers(folder):
    left = end_leftovers(folder)
    for pid, command in left.items():
        print("left running: %d %s" % (pid, command))
    return 1 if left else 0


def main_reports(folder):
    found = reports_in(folder)
    for path, line in found:
        print("%s: %s" % (path, line))
    return 1 if found else 0


def main():
    commands = {"data": make_data, "infer": main_infer, "leftovers": main_leftovers, "reports": main_reports}
    try:
        return commands[sys.argv[1]](*sys.argv[2:]) or 0
    except Skipped as why:
        print("skipped: %s" % why)
        return 77


if __name__ == "__main__":
    sys.exit(main())
