#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The crash loop (tests/scenario/crash.py) for a while, or all of it: test_crash.py BUILD.

ISOBAR_CRASH_MINUTES (10) is how long cases are drawn from all boundaries and all faults, with a seed that is always the same; ISOBAR_CRASH_SEED draws others.
ISOBAR_CRASH_ALL=1 (`make crash-all`) takes every boundary with every fault instead; that takes hours. All objects' bytes are read back.
"""
import concurrent.futures
import itertools
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from crash import MODES, Crashes, choose, seed_given, try_case  # noqa: E402
from scenario import need, run_test  # noqa: E402

MINUTES = float(os.environ.get("ISOBAR_CRASH_MINUTES", "10"))
ALL = os.environ.get("ISOBAR_CRASH_ALL") == "1"
AT_ONCE = 2


def all_cases(places, seed):
    chance = random.Random(seed)
    for mode, (act, number) in itertools.product(MODES, places):
        yield act, number, mode, chance.randrange(1 << 30)


def sampled(places, seed):
    """Without end: every block of cases is spread over acts and modes."""
    for block in itertools.count():
        yield from choose(places, list(MODES), 4 * len(MODES), seed + block)


def test(s):
    seed = seed_given()
    crashes = Crashes(s)
    crashes.prepare()
    places = crashes.places()
    print("clean runs pass %s boundaries" % crashes.boundaries, flush=True)
    cases = all_cases(places, seed) if ALL else sampled(places, seed)
    give_up = None if ALL else time.monotonic() + 60 * MINUTES
    held, lock = [], threading.Lock()

    def work(_):
        while give_up is None or time.monotonic() < give_up:
            with lock:
                case = next(cases, None)
            if case is None:
                return
            held.append((case, try_case(crashes, "w", case, None)))

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, range(AT_ONCE)))
    print("%d cases" % len(held))
    failed = ["%s at %d, %s, seed %d" % case for case, good in held if not good]
    need(held and not failed, "%d of %d cases failed: %s", len(failed), len(held), "; ".join(failed))


run_test(test)
