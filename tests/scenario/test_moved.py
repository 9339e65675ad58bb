#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A thing that gets another address stays the thing it is, and one that is protected stays at all."""
import json
import os

from changes import S3, write
from scenario import need, run_test, same, state_query

OLD = "buckets:\n  lake: {clouds: all}\n"
NEW = "buckets:\n  pond: {clouds: all}\n"
MOVED = "moved: [{from: bucket/lake, to: bucket/pond}]\n"
CLOUDS = ("aws-us", "gcp-eu", "azure-eu")


def records(folder):
    return {key: json.loads(value) for key, value in
            state_query(folder, "select key, value from record where key like 'resource/bucket/%'")}


def test_moved(s, folder):
    write(folder, OLD, CLOUDS)
    s.apply(folder)
    s3 = S3(folder)
    s3.put("shop-lake", "a", b"stays")
    before = records(folder)
    write(folder, NEW + MOVED, CLOUDS)
    planned = s.run("plan", folder=folder).out
    need("# bucket/pond on aws-us has another address: from bucket/lake on aws-us" in planned and
         "Plan: 0 to create, 0 to change, 0 to replace, 0 to delete, 3 to move." in planned, "%s", planned)
    s.apply(folder)
    after = records(folder)
    same(sorted(after), ["resource/bucket/pond on %s" % cloud for cloud in sorted(CLOUDS)], "records")
    for cloud in CLOUDS:
        for member in ("uid", "cloud_id"):
            same(after["resource/bucket/pond on " + cloud][member], before["resource/bucket/lake on " + cloud][member], member)
    same(s3.must("GET", "/shop-lake/a"), "stays", "an object of the bucket that moved")
    events = s.run("events", "--type", "resource.moved", "-o", "json", folder=folder).json()["events"]
    same(sorted(e["data"]["from"] for e in events), ["bucket/lake on %s" % cloud for cloud in sorted(CLOUDS)], "events")
    need(s.plan_is_empty(folder), "a second plan is not empty")
    write(folder, NEW, CLOUDS)  # the line may go once it has done its work
    need(s.plan_is_empty(folder), "the plan without `moved:` is not empty")


def test_protect(s, folder):
    write(folder, "buckets:\n  pond: {clouds: all, protect: true}\n", CLOUDS)
    s.apply(folder)
    s3 = S3(folder)
    write(folder, "", CLOUDS)
    refused = s.run("plan", folder=folder, expect=4)
    need("bucket/pond on aws-us: it is protected: write `protect: false` and apply that" in refused.out, "%s", refused)
    s.run("apply", "--auto-approve", folder=folder, expect=4)
    s.run("destroy", "--auto-approve", "--objects", folder=folder, expect=4)
    same(s3.must("GET", "/shop-lake/a"), "stays", "an object of a protected bucket")
    write(folder, "buckets:\n  pond: {clouds: all, name: other-name, protect: true}\n", CLOUDS)
    refused = s.run("plan", folder=folder, expect=4)
    need("it is protected, and changing name would delete it and make another" in refused.out, "%s", refused)
    write(folder, "buckets:\n  pond: {clouds: all, protect: false}\n", CLOUDS)
    s.apply(folder)


def test_destroy_looks_first(s, folder):
    """One bucket of three holds an object: without --objects nothing at all is deleted."""
    s3 = S3(folder)
    refused = s.run("destroy", "--auto-approve", folder=folder, expect=None)
    need(refused.code != 0 and "1 bucket to be deleted still holds objects, so nothing is done: bucket/pond on aws-us" in refused.err,
         "%s", refused)
    same(len(records(folder)), 3, "records")
    for cloud in CLOUDS:
        need("shop-lake" in os.listdir(os.path.join(folder, ".isobar/pocket", cloud, "buckets")), "%s lost its bucket", cloud)
    same(s3.must("GET", "/shop-lake/a"), "stays", "the object")
    s.run("destroy", "--auto-approve", "--objects", folder=folder)
    same(records(folder), {}, "records after the destroy")


def test(s):
    folder = os.path.join(s.folder, "w")
    test_moved(s, folder)
    test_protect(s, folder)
    test_destroy_looks_first(s, folder)


run_test(test)
