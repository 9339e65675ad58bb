#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pocket cloud that runs and is slow to answer is waited for; `down` and `status` of a workspace that was never applied say that nothing runs."""
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from changes import write
from scenario import need, run_test, same

BODY = "buckets:\n  lake: {clouds: all%s}\n"
SILENT_S = 3  # longer than one request waits for its answer


def never_applied(s, folder):
    for arguments, text in ((("down",), "Nothing runs: this workspace was never applied."), (("status",), "not running")):
        ended = s.run(*arguments, folder=folder)
        need(text in ended.out and not ended.err, "%s", ended)
    need("another isobar" not in s.run("down", folder=folder).err, "down speaks of another isobar")


def slow_to_answer(s, folder):
    s.apply(folder)
    pid = s.pocket_pid(folder, "gcp-eu")
    write(folder, BODY % ", labels: {team: ml}", ("gcp-eu",))
    os.kill(pid, signal.SIGSTOP)
    applying = s.start("apply", "--auto-approve", folder=folder)
    time.sleep(SILENT_S)
    os.kill(pid, signal.SIGCONT)
    out, err = applying.communicate(timeout=120)
    need(applying.returncode == 0, "an apply did not wait for a cloud that is slow:\n%s%s", out, err)
    same(s.pocket_pid(folder, "gcp-eu"), pid, "the cloud's process")
    need(s.plan_is_empty(folder), "a second plan is not empty")
    s.run("down", folder=folder)


def test(s):
    folder = os.path.join(s.folder, "w")
    write(folder, BODY % "", ("gcp-eu",))
    never_applied(s, folder)
    slow_to_answer(s, folder)


run_test(test)
