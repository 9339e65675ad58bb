#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A cloud that keeps its connections open and answers nothing: a plan says so soon, an apply does what is elsewhere, and `down` ends it."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from changes import write
from scenario import is_alive, need, run_test, same

CLOUDS = ("aws-us", "gcp-eu", "azure-eu")
BODY = "buckets:\n  lake: {clouds: all%s}\n"
MOST_S = 60  # without the bound: minutes


def timed(what):
    start = time.monotonic()
    ended = what()
    took = time.monotonic() - start
    need(took < MOST_S, "it took %.0f s: %s", took, ended)
    return ended


def test(s):
    folder = os.path.join(s.folder, "w")
    write(folder, BODY % "", CLOUDS)
    s.apply(folder)
    pid = s.pocket_pid(folder, "gcp-eu")
    os.kill(pid, signal.SIGSTOP)
    write(folder, BODY % ", labels: {team: ml}", CLOUDS)
    planned = timed(lambda: s.run("plan", folder=folder))
    need("bucket/lake on gcp-eu will be changed in place: its cloud did not answer, so the plan goes by the record" in planned.out,
         "%s", planned)
    applied = timed(lambda: s.run("apply", "--auto-approve", folder=folder, expect=None))
    need(applied.code != 0 and "1 of 3 changes failed, 0 were not tried" in applied.err, "%s", applied)
    need("not tried, because the cloud does not answer: it was silent when the plan was made" in applied.err, "%s", applied)
    same(sorted(line.split(":")[0] for line in applied.err.splitlines() if " changed" in line),
         ["bucket/lake on aws-us", "bucket/lake on azure-eu"], "what was done elsewhere")
    timed(lambda: s.run("down", folder=folder))
    need(not is_alive(pid), "the cloud that hangs still runs")
    s.apply(folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")
    s.run("down", folder=folder)


run_test(test)
