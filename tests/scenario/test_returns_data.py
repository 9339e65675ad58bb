#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The data of examples/returns in its pocket environment: buckets that exist elsewhere are played, records are made up by their schema,
and the copies of personal records lie on each cloud inside the EU, encrypted, also after a cloud was killed midway.
"""
import json
import os
import shutil
import signal

from scenario import need, run_test, same, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CLOUDS = ("aws-eu", "gcp-eu", "azure-eu", "munich")
COPY = "datasets/returns/files/part-0.parquet"


def test(s):
    folder = os.path.join(s.folder, "returns")
    shutil.copytree(os.path.join(ROOT, "examples/returns"), folder, ignore=shutil.ignore_patterns(".isobar"))
    os.environ["ISOBAR_ENV"] = "pocket"
    s.apply(folder)
    for dataset in ("returns", "catalogue"):
        s.run("run", "dataset/" + dataset, folder=folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")

    def names(place):
        return [one["name"] for one in s.run("data", "ls", "--recursive", place, "-o", "json", folder=folder).json()["objects"]]

    same(names("aws-eu:raw/"), ["returns/part-0.parquet"], "the stand-in of somebody else's bucket")
    same(names("gcp-eu:old/"), ["catalogue/part-0.jsonl"], "the stand-in of the adopted bucket")
    for cloud in CLOUDS:
        same(names(cloud + ":lake/datasets/returns/"), ["datasets/returns/files.json", COPY], "copies on " + cloud)
        manifest = json.loads(s.run("data", "cat", cloud + ":lake/datasets/returns/files.json", folder=folder).out)
        same([(one["name"], one["records"]) for one in manifest["files"]], [("part-0.parquet", 1000)], "what the copy says of itself")
    first = s.run("data", "cat", "gcp-eu:old/catalogue/part-0.jsonl", folder=folder).out.splitlines()
    same((len(first), json.loads(first[0])["sku"]), (10, "SKU-1"), "the catalogue's stand-in from pocket/buckets")

    # A cloud is killed while a changed source waits to be copied: the others get it, and this one when it is back.
    file = os.path.join(s.folder, "part-0.parquet")
    s.run("data", "cp", "aws-eu:raw/returns/part-0.parquet", file, folder=folder)
    s.run("data", "cp", file, "aws-eu:raw/returns/part-1.parquet", folder=folder)
    up = s.start("up", "--foreground", folder=folder)
    try:
        wait_for("the control plane", lambda: os.path.exists(os.path.join(state_of(folder), "control.json")), 60)
        pid = s_pid(folder, "azure-eu")
        os.kill(pid, signal.SIGKILL)
        ended = s.run("run", "dataset/returns", folder=folder, expect=7)
        need("azure-eu" in ended.err, "run said: %s", ended)
        for cloud in ("aws-eu", "gcp-eu", "munich"):
            need("datasets/returns/files/part-1.parquet" in names(cloud + ":lake/datasets/returns/files/"), "no new file on %s", cloud)
        behind = {one["address"]: one["error"] for one in s.status(folder)["replicas"]}
        need(behind["dataset/returns on azure-eu"] and not behind["dataset/returns on gcp-eu"], "status says: %s", behind)
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)
    s.run("run", "dataset/returns", folder=folder)  # starts the cloud again, as each command does
    need("datasets/returns/files/part-1.parquet" in names("azure-eu:lake/datasets/returns/files/"), "no new file on azure-eu")
    need(all(one["error"] == "" for one in s.status(folder)["replicas"]), "status still tells of a failure")
    need(s.plan_is_empty(folder), "the last plan is not empty")
    s.run("down", folder=folder)


def state_of(folder):
    place = os.path.join(folder, ".isobar/env/pocket")
    return place if os.path.exists(place) else os.path.join(folder, ".isobar")


def s_pid(folder, cloud):
    with open(os.path.join(state_of(folder), "pocket", cloud, "announce.json"), encoding="utf-8") as file:
        return json.load(file)["pid"]


run_test(test)
