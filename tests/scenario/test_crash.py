#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills the control plane at ten boundaries of its journal, each in a run of its own of the small job, and starts the command again.

The boundaries are those that a clean run passes in `apply` and `run`, drawn with a seed that is printed (ISOBAR_SEED sets it;
ISOBAR_CRASHES more or fewer of them). Afterwards the job must have come to the very end that the clean run came to: every job ran to completion once,
every action is journaled as done once, the same objects with the same bytes lie on every cloud, the weights are the same, a second plan
and a second run have nothing to do, and only processes that a record names run.
"""
import collections
import concurrent.futures
import glob
import json
import os
import random
import signal
import sys
import time

from scenario import CLOUDS, GOAL, Client, Failed, image_pixels, need, processes_of, run_test, same, sha256_text, state_query

CRASHES = int(os.environ.get("ISOBAR_CRASHES", "10"))
AT_ONCE = 2
# These say when something was measured, not what it is.
VOLATILE = ("metrics.json", "_SUCCESS", "manifest.json")


def commands(folder):
    return (("apply", ("apply", "--auto-approve", folder)), ("run", ("run", "-w", folder, GOAL)))


def boundaries_of(s, folder):
    """[(command, number)] of a run that nobody kills."""
    found = []
    for name, arguments in commands(folder):
        path = os.path.join(s.folder, name + ".boundaries")
        s.run(*arguments, env={"ISOBAR_CRASH_LOG": path})
        with open(path) as lines:
            numbers = [int(line.split()[0]) for line in lines]
        same(sorted(numbers), list(range(1, len(numbers) + 1)), "numbers of boundaries")
        found += [(name, number) for number in sorted(numbers)]
    return found


def objects_of(s, folder):
    """{CLOUD:key: sha256}; of files that tell times, only that they are there."""
    found = {}
    for cloud in CLOUDS:
        for one in s.run("data", "ls", "--recursive", "-o", "json", "-w", folder, cloud + ":lake/").json()["objects"]:
            found["%s:%s" % (cloud, one["name"])] = one["size"] if not one["name"].endswith(VOLATILE) else "any"
    return found


def weights_of(s, folder):
    digests = set()
    for cloud in CLOUDS:
        process = s.start("data", "cat", "-w", folder, cloud + ":lake/models/classifier/1/weights.safetensors")
        process.stdout.reconfigure(encoding="latin-1", newline="")
        text = process.stdout.read()
        same(process.wait(), 0, "exit code of data cat")
        process.stderr.close()
        process.stdout.close()
        digests.add(sha256_text(text.encode("latin-1")))
    same(len(digests), 1, "different weights on the clouds")
    return digests.pop()


def jobs_of(folder):
    """{CLOUD/JOB: how many times its program came to its end}"""
    found = {}
    for path in glob.glob(os.path.join(folder, ".isobar/local/*/jobs/*")):
        with open(os.path.join(path, "status.json")) as file:
            state = json.load(file)["state"]
        with open(os.path.join(path, "log")) as file:
            ends = sum(line.endswith(": done\n") for line in file)
        name = "/".join(path.split("/")[-3::2])
        need(state == "succeeded", "job %s is %s", name, state)
        found[name] = ends
    return found


def outcome(s, folder):
    """What a run leaves, without times: equal for a clean run and for one that was killed."""
    version, = s.run("models", "-o", "json", "-w", folder).json()["models"][0]["versions"]
    done = collections.Counter(json.loads(data)["action"] for data, in
                               state_query(folder, "SELECT data FROM event WHERE type = 'action.done'"))
    steps = collections.Counter(address for address, in state_query(folder, "SELECT address FROM event WHERE type = 'step.done'"))
    lineage = json.dumps(version["lineage"], sort_keys=True)
    return {"jobs": jobs_of(folder), "actions": dict(done), "steps": dict(steps), "objects": objects_of(s, folder),
            "weights": weights_of(s, folder), "sha256": version["sha256"], "lineage": lineage, "metrics": version["metrics"]}


def check_records(s, folder):
    """Nothing is open, unrecorded or still to do."""
    same(state_query(folder, "SELECT key FROM record WHERE key LIKE 'intent/%'"), [], "intents that are still open")
    same({status for status, in state_query(folder, "SELECT json_extract(value, '$.status') FROM record WHERE key LIKE 'resource/%'")},
         {"ready"}, "states of resources")
    need(s.run("plan", "-o", "json", folder).json()["empty"], "a second plan has something to do")
    again = s.run("run", "-w", folder, GOAL)
    same(again.err.count(" up to date\n"), 4, "steps that are up to date in a second run")
    same([p for p in glob.glob(os.path.join(folder, ".isobar/pocket/*/buckets/*/uploads/*"))], [], "uploads that nobody ended")


def check_processes(s, folder):
    status = s.run("status", "-o", "json", folder).json()
    known = {c["pid"] for c in status["clouds"]} | {g["pid"] for g in status["gateways"]}
    for endpoint in status["endpoints"]:
        same(endpoint["state"], "ready", endpoint["address"])
        known |= set(endpoint["pids"])
    running = processes_of(folder)
    same(set(running), known, "processes that run (%s) against those that records name" % running)


def check_answers(folder):
    client = Client(folder)
    status, answer = client.infer(image_pixels(folder, 0, 2))
    client.close()
    same(status, 200, "the gateway's answer (%s)" % answer)


def compare(got, wanted):
    for what, value in wanted.items():
        if isinstance(value, dict) and got[what] != value:
            keys = {key for key in set(value) | set(got[what]) if value.get(key) != got[what].get(key)}
            raise Failed("%s differ from the clean run's: %s" % (what, {k: (value.get(k), got[what].get(k)) for k in sorted(keys)}))
        same(got[what], value, what)


def killed_at(s, where, clean):
    command, number = where
    name = "%s-%03d" % where  # no name begins another
    folder = s.workspace(name)
    killed = False
    for each, arguments in commands(folder):
        if each == command:
            killed = s.run(*arguments, env={"ISOBAR_CRASH_AT": number}, expect=None).code == -signal.SIGKILL
        s.run(*arguments)
    need(killed or number > len(CLOUDS), "%s was never killed", name)
    check_processes(s, folder)
    compare(outcome(s, folder), clean)
    check_records(s, folder)
    check_answers(folder)
    s.run("down", folder)
    return killed


def try_one(s, where, clean):
    began = time.monotonic()
    try:
        killed = killed_at(s, where, clean)
    except Failed as why:
        return where, "FAILED", str(why), time.monotonic() - began
    return where, "killed" if killed else "ended before", "", time.monotonic() - began


def test(s):
    seed = int(os.environ.get("ISOBAR_SEED", random.SystemRandom().randrange(1 << 32)))
    print("seed %d (ISOBAR_SEED repeats it)" % seed)
    began = time.monotonic()
    folder = s.workspace("clean")
    places = boundaries_of(s, folder)
    took = time.monotonic() - began
    clean = outcome(s, folder)
    check_processes(s, folder)
    check_records(s, folder)
    same(set(clean["jobs"].values()), {1}, "times that jobs ran")
    same(set(clean["actions"].values()), {1}, "times that actions were done")
    s.run("down", folder)
    print("a clean run passes %d boundaries in %.1f s" % (len(places), took))
    chosen = sorted(random.Random(seed).sample(places, min(CRASHES, len(places))))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for where, verdict, why, seconds in pool.map(lambda where: try_one(s, where, clean), chosen):
            print("%s at boundary %d: %s %.1f s %s" % (*where, verdict, seconds, why))
            failed += verdict == "FAILED"
            sys.stdout.flush()
    need(failed == 0, "%d of %d boundaries", failed, len(chosen))


run_test(test)
