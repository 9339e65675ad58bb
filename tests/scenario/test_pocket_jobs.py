#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Jobs of a pocket cloud go on when it is killed, are found by the next one, and end with it, with `isobar pocket end` and with `isobar down`."""
import http.client
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from changes import write
from scenario import is_alive, need, processes_of, run_test, same, wait_for

COUNT = "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); echo line $i; sleep 0.05; done"


def put_job(root, name, script):
    """What a job service of the pocket would ask for."""
    folder = os.path.join(root, "engine", name)
    os.makedirs(folder, 0o700)
    spec = {"kind": "job", "image": "debian:12", "argv": ["sh", "-c", script], "environment": {"WHO": name}, "memory": 256 << 20, "queued_ns": 1}
    with open(os.path.join(folder, "spec.json"), "w") as file:
        json.dump(spec, file)


def ask(root, path="/.isobar/status"):
    with open(os.path.join(root, "admin.json")) as file:
        admin = json.load(file)
    link = http.client.HTTPConnection(admin["url"].split("/")[2], timeout=20)
    link.request("GET", path, headers={"authorization": "Bearer " + admin["token"]})
    answer = json.load(link.getresponse())
    link.close()
    return answer


def job(root, name):
    return {one["id"]: one for one in ask(root)["engine"]["jobs"]}[name]


def lines(root, name):
    try:
        with open(os.path.join(root, "engine", name, "log")) as file:
            return file.read().count("\n")
    except FileNotFoundError:
        return 0


def start_pocket(s, root):
    announce = os.path.join(s.folder, "announce.json")
    if os.path.exists(announce):
        os.unlink(announce)
    pocket = s.start("pocket", "--as", "aws", "--name", "mine", "--root", root, "--announce", announce)
    wait_for("the pocket cloud", lambda: os.path.exists(announce) or pocket.poll() is not None)
    return pocket


def kill(pocket):
    pocket.kill()
    pocket.communicate()


def test_kill_and_end(s):
    root = os.path.join(s.folder, "mine")
    os.mkdir(root, 0o700)
    put_job(root, "long", COUNT)
    put_job(root, "short", "echo $WHO; exit 3")
    pocket = start_pocket(s, root)
    wait_for("the job's first line", lambda: lines(root, "long"))
    wait_for("the end of the short one", lambda: job(root, "short")["state"] == "exited")
    need(ask(root)["engine"]["isolation"], "status does not say whose rights jobs have")
    pid = job(root, "long")["pid"]
    kill(pocket)
    seen = lines(root, "long")
    wait_for("more lines without a pocket", lambda: lines(root, "long") > seen + 2)
    pocket = start_pocket(s, root)
    same(job(root, "long")["state"], "running", "state of the job that outlived its pocket")
    same(job(root, "long")["pid"], pid, "its process")
    kill(pocket)
    s.run("pocket", "end", root)
    need(not is_alive(pid), "the job runs after `isobar pocket end`")
    same(processes_of(root), {}, "what is left")
    pocket = start_pocket(s, root)
    same(job(root, "long")["state"], "lost", "state of a job that was ended")
    same(job(root, "short")["state"], "exited", "state of one that had ended before")
    put_job(root, "more", COUNT)  # is found at the next start
    kill(pocket)
    pocket = start_pocket(s, root)
    wait_for("the third job", lambda: lines(root, "more"))
    pocket.send_signal(signal.SIGTERM)
    same(pocket.wait(20), 0, "exit code of a pocket that was told to end")
    pocket.communicate()
    same(processes_of(root), {}, "what is left after SIGTERM")


def test_down(s):
    folder = os.path.join(s.folder, "w")
    write(folder, "buckets:\n  lake: {clouds: all}\n", ("aws-us",))
    root = os.path.join(folder, ".isobar/pocket/aws-us")
    os.makedirs(root, 0o700)
    put_job(root, "of-workspace", COUNT)
    s.apply(folder)
    wait_for("the job's first line", lambda: lines(root, "of-workspace"))
    os.kill(s.pocket_pid(folder, "aws-us"), signal.SIGKILL)
    need(processes_of(root), "the job did not outlive its pocket")
    s.run("down", folder=folder)
    same(processes_of(root), {}, "what is left after down")


def test(s):
    test_kill_and_end(s)
    test_down(s)


run_test(test)
