#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small job while connections are cut, a cloud dies in the middle of a round, and a worker is killed in the middle of its job: it comes
to the same end, or to the end that the quorum allows, and no job is completed twice. ISOBAR_SEED repeats a run."""
import collections
import glob
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scenario"))
from cutter import Cutter  # noqa: E402
from scenario import CLOUDS, GOAL, is_alive, need, run_test, same, state_query, wait_for  # noqa: E402

SEED = int(os.environ.get("ISOBAR_SEED", random.SystemRandom().randrange(1 << 32)))


def version_of(s, folder):
    version, = s.run("models", "-o", "json", folder=folder).json()["models"][0]["versions"]
    return version


def check_once(folder):
    """Each action was done once; each job succeeded, and its program came to its end once."""
    done = collections.Counter(json.loads(data)["action"] for data, in
                               state_query(folder, "SELECT data FROM event WHERE type = 'action.done'"))
    same({name: count for name, count in done.items() if count > 1}, {}, "actions that were done more than once")
    for path in glob.glob(folder + "/.isobar/local/*/jobs/*"):
        with open(path + "/status.json") as file:
            same(json.load(file)["state"], "succeeded", path)
        with open(path + "/log") as file:
            same(sum(line.endswith(": done\n") for line in file), 1, "times that the program of %s came to its end" % path)


def events_of(folder, kind):
    return [json.loads(data) for data, in state_query(folder, "SELECT data FROM event WHERE type = ? ORDER BY sequence", kind)]


def settings(folder, *changes):
    path = os.path.join(folder, "isobar.yaml")
    with open(path) as file:
        text = file.read()
    for old, new in changes:
        need(old in text, "%s has no %r", path, old)
        text = text.replace(old, new)
    with open(path, "w") as file:
        file.write(text)


# ------------------------------------------------------------------ cut connections


def put_between(folder, cloud, seed):
    """From now on the control plane reaches the cloud through a relay that cuts every fourth connection."""
    path = os.path.join(folder, ".isobar/pocket", cloud, "announce.json")
    with open(path) as file:
        announced = json.load(file)
    scheme, rest = announced["url"].split("://")
    host, slash, account = rest.partition("/")
    cutter = Cutter((host.split(":")[0], int(host.split(":")[1])), seed, 0.25)
    announced["url"] = "%s://127.0.0.1:%d%s%s" % (scheme, cutter.port, slash, account)
    with open(path, "w") as file:
        json.dump(announced, file)
    return cutter


def cut_connections(s, clean):
    folder = s.workspace("cut")
    s.apply(folder)
    cutters = [put_between(folder, cloud, SEED + i) for i, cloud in enumerate(CLOUDS)]
    runs = 1
    while s.make(folder, expect=None, seconds=120).code != 0:  # one that gives up goes on when it is started again
        runs += 1
        need(runs <= 5, "the job did not come to its end in %d runs", runs)
    cuts, connections = sum(c.cuts for c in cutters), sum(c.connections for c in cutters)
    need(cuts >= 5, "only %d of %d connections were cut", cuts, connections)
    same(version_of(s, folder)["sha256"], clean["sha256"], "weights")
    check_once(folder)
    need(s.plan_is_empty(folder), "a second plan has something to do")
    s.run("down", folder)  # through the relays, too
    for cutter in cutters:
        cutter.close()
    print("%d of %d connections were cut, %d runs" % (cuts, connections, runs))


# ------------------------------------------------------------------ a cloud dies in the middle of a round


def kill_cloud(s, folder, cloud):
    pid = s.pocket_pid(folder, cloud)
    os.kill(pid, signal.SIGKILL)
    wait_for("the end of %s" % cloud, lambda: not is_alive(pid))


def dead_cloud(s):
    folder = s.workspace("dead")
    settings(folder, ("local_epochs: 1", "local_epochs: 20"), ("deadline: 60s", "deadline: 6s"))
    s.apply(folder)
    s.make(folder, "transform/prepared")
    process = s.start("run", "training/classifier", folder=folder)
    wait_for("round 2", lambda: glob.glob(folder + "/.isobar/local/gcp-eu/jobs/train+*round-2*/status.json"), pause=0.002)
    kill_cloud(s, folder, "gcp-eu")
    words = process.communicate(timeout=120)[1]
    same(process.returncode, 0, "exit code of a training that lost one of three clouds (%s)" % words)
    need("round 2 goes on without gcp-eu" in words, "who is missing was not said: %s", words)
    rounds = events_of(folder, "round.accepted")
    same([one["round"] for one in rounds], [1, 2, 3], "rounds")
    same([[site["site"] for site in one["accepted"]] for one in rounds[1:]], [["aws-us", "azure-eu"]] * 2, "sites of rounds 2 and 3")
    seconds = [time_ns for time_ns, in state_query(folder, "SELECT time_ns FROM event WHERE type = 'round.accepted' ORDER BY sequence")]
    need((seconds[1] - seconds[0]) / 1e9 >= 5.5, "the lost site was awaited only %.1f s of 6", (seconds[1] - seconds[0]) / 1e9)
    s.make(folder)  # it is back: its part of the test data counts, and it serves
    need(all(e["state"] == "ready" for e in s.status(folder)["endpoints"]), "not all endpoints are up")
    s.run("down", folder)


# ------------------------------------------------------------------ a worker dies in the middle of its job


def killed_worker(s):
    digests = []
    for name in ("worker", "killed"):
        folder = s.workspace(name)
        settings(folder, ("local_epochs: 1", "local_epochs: 60"))
        s.apply(folder)
        s.make(folder, "transform/prepared")
        process = s.start("run", GOAL, folder=folder)
        if name == "killed":
            kill_worker(folder)
        words = process.communicate(timeout=120)[1]
        same(process.returncode, 0, "exit code of the run (%s)" % words)
        check_once(folder)
        digests.append(version_of(s, folder)["sha256"])
        s.run("down", folder)
    same(digests[1], digests[0], "weights with a worker killed in between")
    again = [e["action"] for e in events_of(folder, "action.done") if "/round-1/aws-us/again-" in e["action"]]
    same(len(again), 1, "times that the lost job was submitted again")


def kill_worker(folder):
    """The worker of a job whose command runs, at once with the command or without it."""
    def running():
        for path in glob.glob(folder + "/.isobar/local/aws-us/jobs/train+*round-1*/status.json"):
            with open(path) as file:
                status = json.load(file)
            return status if status["state"] == "running" and "command" in status else None

    status = wait_for("the job", running, pause=0.002)
    time.sleep(0.1)
    os.kill(status["worker"]["pid"], signal.SIGKILL)


def test(s):
    print("seed %d (ISOBAR_SEED repeats it)" % SEED)
    folder = s.workspace("clean")
    s.apply(folder)
    s.make(folder)
    clean = version_of(s, folder)
    s.run("down", folder)
    for case in (lambda: cut_connections(s, clean), lambda: dead_cloud(s), lambda: killed_worker(s)):
        began = time.monotonic()
        case()
        print("%.1f s" % (time.monotonic() - began), flush=True)


run_test(test)
