#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Upgrade under traffic: the control plane of the earlier release is gone, its state has the earlier schema, its gateway answers. The new one
starts on it: the gateway goes on answering, nothing is made again, and a copy of the old state lies beside the new. A state of a program that
is newer than this one is refused, and left alone."""
import contextlib
import json
import os
import sqlite3
import subprocess
import threading

from scenario import GOAL, Client, image_pixels, need, run_test, same, state_query, wait_for


class Load(threading.Thread):
    def __init__(self, folder):
        super().__init__()
        self.client, self.pixels = Client(folder), image_pixels(folder, 0, 1)
        self.end, self.answers, self.bad = threading.Event(), 0, []

    def run(self):
        while not self.end.is_set():
            status, answer = self.client.infer(self.pixels)
            self.answers += 1
            if status != 200:
                self.bad.append((status, answer))
            self.end.wait(0.01)


def announced(folder):
    with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, ".isobar/control.json"), encoding="utf-8") as file:
        return json.load(file)["pid"]
    return 0


def start(s, folder):
    up = s.start("up", "--foreground", folder=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("the control plane", lambda: announced(folder) == up.pid)
    return up


def change(folder, *statements):
    with contextlib.closing(sqlite3.connect(os.path.join(folder, ".isobar/state.db"))) as db:
        for one in statements:
            db.execute(one)
        db.commit()


def test(s):
    folder = s.workspace("w")
    s.apply(folder)
    s.make(folder)
    up = start(s, folder)
    load = Load(folder)
    load.start()
    try:
        up.kill()
        up.wait()
        # What release 0.1 has; tests/fixtures/state-0.1.sql is one that it wrote.
        change(folder, "DROP TABLE identity", "DELETE FROM migration WHERE number > 1")
        before = state_query(folder, "SELECT count(*) FROM event WHERE type = 'action.done'")
        seen = load.answers
        up = start(s, folder)
        same(state_query(folder, "SELECT max(number) FROM migration"), [(2,)], "schema")
        need(os.path.exists(os.path.join(folder, ".isobar/state.db.before-schema-2")), "there is no copy of the old state")
        again = s.make(folder, GOAL)
        same(again.err.count(" up to date\n"), 4, "steps that are up to date")
        need(s.plan_is_empty(folder), "a plan has something to do")
        same(state_query(folder, "SELECT count(*) FROM event WHERE type = 'action.done'"), before, "actions that were done")
        wait_for("the gateway's answers", lambda: load.answers > seen + 20)
    finally:
        load.end.set()
        load.join()
        load.client.close()
    up.terminate()
    same(up.wait(), 0, "exit code of the control plane")
    same(load.bad[:3], [], "answers of the gateway that were none (of %d)" % load.answers)
    change(folder, "INSERT INTO migration VALUES (99, 'of the future', '9.1.0', 0)")
    refused = s.run("status", folder=folder, expect=8)
    need("written by a newer Isobar (schema 99, version 9.1.0)" in refused.err and "use that version or newer" in refused.err, "%s", refused)
    same(state_query(folder, "SELECT max(number) FROM migration"), [(99,)], "schema after the refusal")
    change(folder, "DELETE FROM migration WHERE number = 99")
    s.run("down", folder=folder)


run_test(test)
