#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an environment asks for: approvals of exactly one plan, protection, and an end; and plans that are kept in a file."""
import contextlib
import json
import os
import sqlite3
import time

from changes import write
from scenario import need, run_test, same, wait_for

BUCKETS = "buckets:\n  lake: {clouds: [aws-us]}\n"
TWO = BUCKETS + "  pond: {clouds: [aws-us]}\n"


def test_approvals(s):
    folder = os.path.join(s.folder, "approved")
    write(folder, BUCKETS, environments="prod: {pocket: true, approvals: 1}")
    planned = s.run("plan", "-o", "json", folder=folder).json()
    same(planned["approvals"], 1, "approvals that are needed")
    digest = planned["digest"]
    need("isobar approve " + digest in s.run("plan", folder=folder).out, "the plan does not say how to approve it")
    refused = s.run("apply", "--auto-approve", folder=folder, expect=4)
    need("the environment prod asks for 1 approval of a plan; this one has 0" in refused.err and digest in refused.err, "%s", refused)
    s.run("approve", "f" * 63, folder=folder, expect=2)
    need("Approved, 1 of 1." in s.run("approve", digest, "--note", "read it", folder=folder).out, "approve")
    write(folder, TWO, environments="prod: {pocket: true, approvals: 1}")
    s.run("apply", "--auto-approve", folder=folder, expect=4)  # another plan than the approved one
    write(folder, BUCKETS, environments="prod: {pocket: true, approvals: 1}")
    s.apply(folder)
    s.apply(folder)  # nothing to do asks nobody
    event = s.run("events", "--type", "approval.", "-o", "json", folder=folder).json()["events"]
    same([(e["type"], e["address"]) for e in event],
         [("approval.given", "approval/" + digest), ("approval.spent", "approval/" + digest)], "events")
    s.run("destroy", "--auto-approve", folder=folder, expect=4)
    write(folder, BUCKETS, environments="prod: {pocket: true, approvals: 1, approvers: user/somebody-else}")
    refused = s.run("approve", digest, folder=folder, expect=4)
    need("approvers are user/somebody-else" in refused.err, "%s", refused)
    write(folder, BUCKETS, environments="prod: {pocket: true}")
    s.run("destroy", "--auto-approve", folder=folder)


def test_protection(s):
    folder = os.path.join(s.folder, "protected")
    write(folder, TWO, environments="prod: {pocket: true, protect: true}")
    s.apply(folder)
    write(folder, BUCKETS, environments="prod: {pocket: true, protect: true}")
    refused = s.run("plan", folder=folder, expect=4)
    need("bucket/pond on aws-us: its environment is protected" in refused.out, "%s", refused)
    s.run("destroy", "--auto-approve", "--objects", folder=folder, expect=4)
    write(folder, BUCKETS, environments="prod: {pocket: true}")
    s.apply(folder)
    s.run("destroy", "--auto-approve", folder=folder)


def test_kept_plan(s):
    folder, kept = os.path.join(s.folder, "kept"), os.path.join(s.folder, "change.plan")
    write(folder, BUCKETS)
    s.run("plan", "--out", kept, folder=folder)
    with open(kept) as file:
        plan = json.load(file)
    same((plan["workspace"], plan["environment"], len(plan["digest"])), ("shop", "pocket", 64), "the plan that was kept")
    write(folder, TWO)
    refused = s.run("apply", kept, expect=5)  # asks nobody, and needs no folder
    need("no longer what was approved" in refused.err, "%s", refused)
    write(folder, BUCKETS)
    need("Apply complete: 2 done" in s.run("apply", kept).out, "the kept plan was not applied")
    s.run("apply", os.path.join(folder, ".isobar/pocket/aws-us/announce.json"), expect=2)
    s.run("plan", "--destroy", "--out", kept, folder=folder)
    need("Destroy complete: 2 done" in s.run("apply", kept).out, "the kept plan of a destroy was not carried out")


def test_expiry(s):
    folder = os.path.join(s.folder, "expires")
    write(folder, TWO, environments="dev: {pocket: true, expires: 1h}")
    s.apply(folder)
    status = s.status(folder)
    need(status["expires"].startswith("20"), "status does not say when it ends: %s", status)
    with open(os.path.join(folder, "object"), "w") as file:
        file.write("x")
    s.run("data", "cp", os.path.join(folder, "object"), "aws-us:shop-lake/a", folder=folder)
    with contextlib.closing(sqlite3.connect(os.path.join(folder, ".isobar/state.db"))) as db:
        db.execute("update record set value = ? where key = 'environment/expiry'", (json.dumps({"at_ns": time.time_ns()}),))
        db.commit()
    need(s.status(folder)["expired"], "status does not say that it has expired")
    s.run("up", folder=folder)
    wait_for("the environment to take itself down", lambda: s.status(folder)["resources"]["total"] == 0, seconds=40)
    need("expires" not in s.status(folder), "an end that has come is told still")
    same(len(s.run("events", "--type", "environment.expired", "-o", "json", folder=folder).json()["events"]), 1, "events")
    need("shop-lake" not in os.listdir(os.path.join(folder, ".isobar/pocket/aws-us/buckets")), "a bucket is left")
    s.run("down", folder=folder)


def test(s):
    test_approvals(s)
    test_protection(s)
    test_kept_plan(s)
    test_expiry(s)


run_test(test)
