#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The small job with 256 descriptors for every process, with a handful, and with little memory: it works, or it says what lacks and what to
do; nothing is lost, and the same command without the limit goes on. test_limits.py BUILD
"""
import os
import resource
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from crash import check_processes, compare, outcome  # noqa: E402
from scenario import GOAL, need, run_test  # noqa: E402

MIB = 1 << 20


def limited(**limits):
    """preexec_fn: soft and hard limits of the command and all that it starts."""
    def apply():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, "RLIMIT_" + name.upper()), (value, value))
    return apply


def check_whole(s, folder, clean):
    check_processes(s, folder)
    compare(outcome(s, folder, lambda found: found[:6]), clean, retried=True)
    need(s.plan_is_empty(folder), "a second plan has something to do")


def few_descriptors(s, start, clean):
    """256 are enough for everything, the gateway and the pocket clouds included."""
    folder = copy(s, start, "few")
    s.run("apply", "--auto-approve", folder=folder, preexec_fn=limited(nofile=256))
    s.run("run", GOAL, folder=folder, preexec_fn=limited(nofile=256), seconds=120)
    check_whole(s, folder, clean)
    s.run("down", folder=folder)
    print("256 descriptors: all works", flush=True)


def starved(s, start, clean, what, limits, words):
    """The command under the limit fails and says why, or works; without it, it goes on."""
    folder = copy(s, start, what)
    tries = 0
    for limit in limits:
        ended = s.run("run", GOAL, folder=folder, preexec_fn=limited(**limit), expect=None, seconds=120)
        if ended.code == 0:
            break  # maybe by a quorum, without a cloud: then less was made than by a clean run
        need(0 < ended.code < 128, "with %s: %s", limit, ended)
        need(any(word in ended.err for word in words), "with %s: %s does not say what lacks", limit, ended)
        tries += 1
    s.run("run", GOAL, folder=folder, seconds=120)
    if ended.code != 0:
        check_whole(s, folder, clean)
    need(s.plan_is_empty(folder), "a second plan has something to do")
    s.run("down", folder=folder)
    print("%s: %d of %d limits were too tight, each said so" % (what, tries, len(limits)), flush=True)
    need(tries > 0, "no limit was too tight: the test tests nothing")


def copy(s, start, name):
    folder = os.path.join(s.folder, name)
    shutil.copytree(start, folder, symlinks=True)
    return folder


def test(s):
    first = s.workspace("first")
    new, applied = os.path.join(s.folder, "new"), os.path.join(s.folder, "applied")
    shutil.copytree(first, new)
    s.apply(first)
    s.run("down", folder=first)
    shutil.copytree(first, applied, symlinks=True)
    s.make(first)
    clean = outcome(s, first, lambda found: [])
    s.run("down", folder=first)
    few_descriptors(s, new, clean)
    starved(s, applied, clean, "descriptors", [{"nofile": n} for n in (8, 12, 16, 24)],
            ("open files", "too many", "Too many open files"))
    starved(s, applied, clean, "memory", [{"as": n * MIB} for n in (16, 24, 32, 48, 64)],
            ("memory", "Cannot allocate", "failed to map segment"))


run_test(test)
