#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A machine whose clock steps by an hour, each way, while its clouds' clocks are right (libfaketime): requests are signed again by the clock that
the cloud tells, nothing waits for an hour, what comes out is what a right clock makes, and once it is right again nothing is left to do.
test_clock.py BUILD
"""
import os
import shutil
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from crash import check_processes, compare, outcome  # noqa: E402
from scenario import GOAL, Failed, need, run_test, same  # noqa: E402

LIBRARIES = ["/usr/lib/%s/faketime/libfaketimeMT.so.1" % machine for machine in ("x86_64-linux-gnu", "aarch64-linux-gnu")]
SOON = 60  # seconds: a few tries with pauses, on a busy machine


def stepped(by):
    """Environment of a command that lives so much earlier or later; its children do not."""
    for path in LIBRARIES:
        if os.path.exists(path):
            return {"LD_PRELOAD": path, "FAKETIME": by, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    raise Failed("libfaketime is not installed (apt-get install faketime)")


def test(s):
    first = s.workspace("first")
    s.apply(first)
    s.run("down", folder=first)
    applied = os.path.join(s.folder, "applied")
    shutil.copytree(first, applied, symlinks=True)
    s.make(first)
    clean = outcome(s, first, lambda found: [])
    s.run("down", folder=first)
    for by in ("+1h", "-1h"):
        folder = os.path.join(s.folder, "stepped" + by)
        shutil.copytree(applied, folder, symlinks=True)
        began = time.monotonic()
        s.run("run", GOAL, folder=folder, env=stepped(by), seconds=2 * SOON)
        need(time.monotonic() - began < SOON, "it took %.0f s", time.monotonic() - began)
        again = s.run("run", GOAL, folder=folder, seconds=120)  # the clock is right again
        same(again.err.count("never made"), 0, "what the right clock finds to make")
        check_processes(s, folder)
        compare(outcome(s, folder, lambda found: found[:6]), clean, retried=True)
        need(s.plan_is_empty(folder), "a second plan has something to do")
        s.run("down", folder=folder)
        print("a clock %s: nothing came of it" % by, flush=True)
    # Halfway through: what was made before the step is made, and stays so.
    folder = os.path.join(s.folder, "halfway")
    shutil.copytree(applied, folder, symlinks=True)
    s.make(folder, "transform/prepared")
    s.run("run", GOAL, folder=folder, env=stepped("-1h"), seconds=2 * SOON)
    words = s.run("run", GOAL, folder=folder, seconds=120).err
    same(words.count("transform/prepared: never made"), 0, "times that a step was made again")
    check_processes(s, folder)
    compare(outcome(s, folder, lambda found: found[:6]), clean, retried=True)
    s.run("down", folder=folder)


run_test(test)
