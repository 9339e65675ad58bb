#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More connections than a pocket cloud takes, half of them in the middle of a request: `down` ends all clouds within their grace."""
import contextlib
import json
import os
import resource
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from changes import write
from scenario import SLOW, is_alive, need, run_test

CLOUDS = ("aws-us", "gcp-eu", "azure-eu")
COUNT = 300  # to each; the clouds may have 256 descriptors
MOST_S = 30


def connect(address, begun):
    one = socket.socket()
    one.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        one.connect(address)
    if begun:
        with contextlib.suppress(OSError):
            one.send(b"PUT /lake/x HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\nx")
    return one


def address_of(folder, cloud):
    with open(os.path.join(folder, ".isobar/pocket", cloud, "announce.json")) as file:
        host, port = json.load(file)["url"].split("//")[1].split("/")[0].split(":")
    return host, int(port)


def test(s):
    folder = os.path.join(s.folder, "w")
    write(folder, "buckets:\n  lake: {clouds: all}\n", CLOUDS)
    s.run("apply", "--auto-approve", folder=folder, preexec_fn=limit)
    pids = [s.pocket_pid(folder, cloud) for cloud in CLOUDS]
    held = [connect(address_of(folder, cloud), number % 2) for number in range(COUNT) for cloud in CLOUDS]
    began = time.monotonic()
    s.run("down", folder=folder)
    took = time.monotonic() - began
    need(took < MOST_S * SLOW, "down took %.0f s", took)
    need(not any(is_alive(pid) for pid in pids), "a flooded cloud still runs")
    for one in held:
        one.close()
    s.apply(folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")
    s.run("down", folder=folder)


def limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))


run_test(test)
