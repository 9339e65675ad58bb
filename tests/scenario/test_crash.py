#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Ten cases of the crash loop (crash.py): spread over the acts, the boundaries of their journal and the faults of the pocket clouds,
drawn with a seed that is always the same; ISOBAR_CRASH_SEED draws others, ISOBAR_CRASHES sets the number.
"""
import concurrent.futures
import os
import random
import time

from crash import MODES, Crashes, choose, seed_given, try_case
from scenario import need, run_test

CASES = int(os.environ.get("ISOBAR_CRASHES", "10"))
AT_ONCE = 2
READ = 4  # objects of a case whose bytes are read back


def test(s):
    seed = seed_given()
    began = time.monotonic()
    crashes = Crashes(s)
    crashes.prepare()
    print("clean runs pass %s boundaries, %.1f s" % (crashes.boundaries, time.monotonic() - began), flush=True)
    cases = choose(crashes.places(), list(MODES), CASES, seed)

    def one(case):
        chance = random.Random(case[3])
        return try_case(crashes, "w", case, lambda found: chance.sample(found, min(READ, len(found))))

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        held = list(pool.map(one, cases))
    need(all(held), "%d of %d cases", held.count(False), len(held))


run_test(test)
