#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A copy of a large object that is killed in the middle leaves nothing on S3 once it has been made again."""
import glob
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from changes import write
from scenario import need, run_test, same, wait_for

SIZE = 20 << 20  # parts of 8 MiB


def uploads(folder):
    return glob.glob(os.path.join(folder, ".isobar/pocket/aws-us/buckets/*/uploads/*"))


def pieces(folder):
    return [one for one in glob.glob(os.path.join(folder, ".isobar/pocket/aws-us/buckets/*/uploads/*/*")) if os.path.basename(one) != "upload"]


def test(s):
    folder = os.path.join(s.folder, "w")
    big = os.path.join(s.folder, "big")
    with open(big, "wb") as file:
        file.write(os.urandom(SIZE))
    write(folder, "buckets:\n  lake: {clouds: all}\n", ("aws-us",))
    s.apply(folder)
    root = os.path.join(folder, ".isobar/pocket/aws-us")
    s.run("pocket", "faults", root, "stall 20s PUT nth=2")
    copying = s.start("data", "cp", big, "aws-us:lake/big", folder=folder)
    wait_for("the first part", lambda: pieces(folder) or copying.poll() is not None)
    os.kill(copying.pid, signal.SIGKILL)
    copying.communicate()
    same(len(uploads(folder)), 1, "uploads that a killed copy leaves")
    s.run("pocket", "faults", root, "--off")
    s.run("data", "cp", big, "aws-us:lake/big", folder=folder)
    same(uploads(folder), [], "uploads that nobody ended")
    s.run("data", "cp", "aws-us:lake/big", os.path.join(s.folder, "back"), folder=folder)
    with open(big, "rb") as sent, open(os.path.join(s.folder, "back"), "rb") as came:
        need(sent.read() == came.read(), "the object has other bytes")
    s.run("down", folder=folder)


run_test(test)
