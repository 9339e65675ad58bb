#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of the control plane at seeded journal boundaries of the small job: after a restart it goes on, no act ends twice, nothing stays
unrecorded, and the weights are the same bytes as those of a run that was left alone.

ISOBAR_SEED gives the seed (printed), ISOBAR_KILLS the number of boundaries (10).
"""
import collections
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ISOBAR = os.path.join(os.path.abspath(sys.argv[1]), "isobar")
GOAL = "model/classifier@champion"


def run(folder, *arguments, crash_at=0):
    env = {key: value for key, value in os.environ.items() if not key.startswith("ISOBAR_")}
    if crash_at:
        env["ISOBAR_CRASH_AT"] = str(crash_at)
    return subprocess.run([ISOBAR, *arguments], cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)


def need(folder, *arguments):
    done = run(folder, *arguments)
    assert done.returncode == 0, "%s in %s: exit %d\n%s%s" % (" ".join(arguments), folder, done.returncode, done.stdout, done.stderr)
    return done.stdout


def read(folder, *arguments):
    return json.loads(need(folder, *arguments, "-o", "json"))


def small(folder):
    subprocess.run([sys.executable, os.path.join(ROOT, "tests/scenario/small/make.py"), folder], check=True)


def weights(folder):
    versions = read(folder, "models")["models"][0]["versions"]
    assert len(versions) == 1, "%d versions instead of one" % len(versions)
    return versions[0]["sha256"]


def check(folder, expected):
    assert weights(folder) == expected, "the weights are other bytes"
    assert read(folder, "plan")["empty"], "the plan is not empty"
    events = read(folder, "events", "--limit", "100000")["events"]
    ended = collections.Counter(e["data"]["action"] for e in events if e["type"] == "action.done")
    twice = [name for name, count in ended.items() if count > 1]
    assert not twice, "ended twice: %s" % twice
    begun = {e["data"]["action"] for e in events if e["type"] == "action.intended"}
    assert begun == set(ended), "never ended: %s" % (begun - set(ended))
    for kind, most in (("model.registered", 1), ("model.promoted", 1), ("revision.committed", 1), ("round.aggregated", 3), ("round.accepted", 3)):
        count = sum(e["type"] == kind for e in events)
        assert count == most, "%d events %s instead of %d" % (count, kind, most)
    jobs_run_once(folder)


def jobs_run_once(folder):
    """A job's log has one start of its program for each completion, and there is one completion."""
    for cloud in os.listdir(os.path.join(folder, ".isobar/local")):
        jobs = os.path.join(folder, ".isobar/local", cloud, "jobs")
        for job in os.listdir(jobs) if os.path.isdir(jobs) else []:
            status = os.path.join(jobs, job, "status.json")
            if os.path.exists(status):
                with open(status, encoding="utf-8") as handle:
                    state = json.load(handle)["state"]
                assert state == "succeeded", "%s on %s is %s" % (job, cloud, state)


def killed_run(folder, boundary):
    """One command at a time, as a person would: apply, then run; the first one that reaches the boundary is killed there."""
    killed = 0
    for arguments in (("apply", "--auto-approve"), ("run", GOAL)):
        done = run(folder, *arguments, crash_at=boundary)
        if done.returncode == -9:
            killed += 1
            need(folder, *arguments)
        else:
            assert done.returncode == 0, done.stderr
    return killed


def main():
    if not os.path.exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"):
        print("dataset-fashion-mnist is not installed")
        return 77
    seed = int(os.environ.get("ISOBAR_SEED", "1"))
    wanted = int(os.environ.get("ISOBAR_KILLS", "10"))
    print("seed %d" % seed)
    chance = random.Random(seed)
    work = tempfile.mkdtemp(prefix="isobar-kill-")
    try:
        reference = os.path.join(work, "reference")
        small(reference)
        need(reference, "apply", "--auto-approve")
        need(reference, "run", GOAL)
        expected = weights(reference)
        # Each event is at least one durable write with a boundary before and after it.
        most = 2 * read(reference, "events", "--limit", "100000")["head"]
        need(reference, "down")
        kills = 0
        while kills < wanted:
            boundary = chance.randint(1, most)
            folder = os.path.join(work, "killed-%d" % boundary)
            if os.path.exists(folder):
                continue
            small(folder)
            started = time.monotonic()
            killed = killed_run(folder, boundary)
            check(folder, expected)
            need(folder, "down")
            print("boundary %d: killed %d times, the same weights, %.1f s" % (boundary, killed, time.monotonic() - started), flush=True)
            kills += killed > 0
            shutil.rmtree(folder)
    finally:
        for folder in os.listdir(work):
            run(os.path.join(work, folder), "down")
        shutil.rmtree(work, ignore_errors=True)
    print("%d kills" % kills)
    return 0


sys.exit(main())
