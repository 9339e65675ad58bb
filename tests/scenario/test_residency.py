#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Residency refused at validate, at plan and at the byte, and a transfer as the only way out; copies of a dataset that lie only
where they may, are brought up to date, survive a killed process, and are kept up to date by `isobar up`. ISOBAR_SEED repeats a draw.
"""
import json
import os
import random
import re
import signal

from scenario import need, run_test, same, state_query, wait_for

WORKSPACE = """
isobar: 1
workspace: kept
environments:
  pocket: {pocket: true, data: synthetic}
clouds:
  aws-eu:   {provider: aws, region: eu-central-1}
  gcp-eu:   {provider: gcp, region: europe-west4}
  azure-us: {provider: azure, region: eastus}
buckets:
  raw:  {clouds: [aws-eu], name: their-raw, existing: keep}
  lake: {clouds: all}
datasets:
  returns:
    source: bucket/raw/returns/
    format: jsonl
    class: personal
    residency: [EU]
    replicas: {bucket: lake, refresh: hourly, lag_alert: 3h}
  orders:
    source: bucket/raw/orders/
    format: parquet
    class: internal
    residency: [EU]
    schema: {order_id: text, amount: decimal, returned: boolean, at: timestamp}
    replicas: {bucket: lake, refresh: daily}
"""
TRANSFER = """
transfers:
  us: {what: dataset/returns, to: US, basis: standard contractual clauses, reference: DPO-1, until: "%s"}
"""
EU = ("aws-eu", "gcp-eu")
CRASHES = int(os.environ.get("ISOBAR_CRASHES", "4"))


def write(folder, text):
    with open(os.path.join(folder, "isobar.yaml"), "w", encoding="utf-8") as file:
        file.write(text)


def prepare(s, name):
    folder = os.path.join(s.folder, name)
    source = os.path.join(folder, "pocket/buckets/raw/returns/2026")
    os.makedirs(source)
    write(folder, WORKSPACE)
    for i in range(3):
        with open(os.path.join(source, "part-%d.jsonl" % i), "w", encoding="utf-8") as file:
            file.writelines('{"order": %d}\n' % (10 * i + k) for k in range(10))
    return folder


def names(s, folder, place):
    return sorted(one["name"] for one in s.run("data", "ls", "--recursive", place, "-o", "json", folder=folder).json()["objects"])


def copies_of(s, folder, cloud, dataset="returns"):
    prefix = "datasets/%s/files/" % dataset
    return [n[len(prefix):] for n in names(s, folder, cloud + ":lake/" + prefix)]


def source_of(s, folder):
    return [n[len("returns/"):] for n in names(s, folder, "aws-eu:raw/returns/")]


def content(s, folder, place):
    return s.run("data", "cat", place, folder=folder).out


def equal_to_source(s, folder):
    wanted = source_of(s, folder)
    for cloud in EU:
        same(copies_of(s, folder, cloud), wanted, "copies on " + cloud)
        for name in wanted:
            same(content(s, folder, "%s:lake/datasets/returns/files/%s" % (cloud, name)), content(s, folder, "aws-eu:raw/returns/" + name), name)
    same(names(s, folder, "azure-us:lake/"), [], "objects in the US")


def refused_at_validate(s):
    folder = os.path.join(s.folder, "validate")
    os.mkdir(folder)
    write(folder, WORKSPACE.replace("replicas: {bucket: lake, refresh: daily}", "partition: {by: hash of record, clouds: [azure-us]}")
          .replace("format: parquet", "format: idx").replace("source: bucket/raw/orders/", "source: file:data"))
    ended = s.run("validate", folder=folder, expect=2)
    need(re.search(r"isobar\.yaml:\d+:\d+: datasets\.orders\.partition\.clouds\[0\]: dataset/orders may lie in \[EU\] only "
                   r"\(class internal, as it declares\); azure-us lies in US \(leave azure-us out, or declare a transfer of dataset/orders to US\)",
                   ended.err), "validate said: %s", ended)
    write(folder, WORKSPACE + TRANSFER % "2026-01-01")
    ended = s.run("validate", folder=folder, expect=2)
    need("transfers.us.until: ran out on 2026-01-01: nothing of dataset/returns goes out any more" in ended.err, "validate said: %s", ended)


def refused_at_plan(s):
    """The model was made while its data had to stay in the Netherlands. That the workspace says otherwise now changes nothing for it."""
    folder = s.workspace("plan")
    path = os.path.join(folder, "isobar.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    kept = (text.replace("class: public\n    residency: anywhere", "class: internal\n    residency: [NL]")
            .replace("hash of record, clouds: all", "hash of record, clouds: [gcp-eu, azure-eu]")
            .replace("federated:\n      clouds: all\n      rounds: 3", "federated:\n      clouds: [gcp-eu, azure-eu]\n      rounds: 1")
            .replace("quorum: 2 of 3", "quorum: 1 of 2").replace("accuracy >= 0.5", "accuracy >= 0.01")
            .replace("model: classifier@champion\n    clouds: all", "model: classifier@champion\n    clouds: [gcp-eu]"))
    with open(path, "w", encoding="utf-8") as file:
        file.write(kept)
    s.apply(folder)
    s.make(folder)
    with open(path, "w", encoding="utf-8") as file:
        file.write(kept.replace("class: internal\n    residency: [NL]", "class: public\n    residency: anywhere")
                   .replace("clouds: [gcp-eu]", "clouds: [gcp-eu, aws-us]"))
    s.run("validate", folder=folder)
    ended = s.run("plan", folder=folder, expect=4)
    need("endpoint/classify on aws-us: model/classifier may lie in [NL] only (class internal" in ended.err, "plan said: %s", ended)
    s.run("apply", "--auto-approve", folder=folder, expect=4)
    s.run("down", folder=folder)


def refused_at_the_byte(s, folder):
    stolen = "gcp-eu:lake/datasets/returns/files/2026/part-0.jsonl"
    ended = s.run("data", "cp", stolen, "azure-us:lake/x.jsonl", folder=folder, expect=4)
    need("dataset/returns may lie in [EU] only (class personal, as it declares); azure-us lies in US" in ended.err, "cp said: %s", ended)
    s.run("data", "cp", "aws-eu:raw/returns/2026/part-0.jsonl", "azure-us:lake/x.jsonl", folder=folder, expect=4)
    same(names(s, folder, "azure-us:lake/"), [], "objects in the US")
    events = s.run("events", "--type", "residency.", "-o", "json", folder=folder).json()["events"]
    same([(e["type"], e["address"], e["data"]["cloud"], e["data"]["origin"]) for e in events],
         [("residency.refused", "dataset/returns", "azure-us", "dataset/returns")], "events")
    write(folder, WORKSPACE + TRANSFER % "2099-12-31")
    s.apply(folder)
    s.run("data", "cp", stolen, "azure-us:lake/x.jsonl", folder=folder)
    passed = s.run("events", "--type", "residency.passed", "-o", "json", folder=folder).json()["events"]
    same([(e["data"]["transfer"], e["data"]["reference"]) for e in passed], [("transfer/us", "DPO-1")], "passages")
    s.run("data", "rm", "azure-us:lake/x.jsonl", folder=folder)
    write(folder, WORKSPACE)
    s.apply(folder)


def copied(s, folder):
    s.run("run", "dataset/returns", folder=folder)
    s.run("run", "dataset/orders", folder=folder)
    equal_to_source(s, folder)
    same(copies_of(s, folder, "gcp-eu", "orders"), ["part-0.parquet"], "the synthetic copy")
    made = {row[0]: json.loads(row[1]) for row in state_query(folder, "SELECT key, value FROM record WHERE key LIKE 'made/dataset/%'")}
    same(made["made/dataset/returns"]["outputs"]["records"], 30, "records of returns")
    same(made["made/dataset/orders"]["outputs"]["records"], 1000, "records of orders")
    told = {one["address"]: one for one in s.status(folder)["replicas"]}
    same(sorted(told), ["dataset/orders on aws-eu", "dataset/orders on gcp-eu", "dataset/returns on aws-eu", "dataset/returns on gcp-eu"], "copies")
    need(all(one["lag_s"] < 600 and one["error"] == "" for one in told.values()), "status says: %s", told)


def change_source(s, folder, number):
    """One file is new, one is other, one goes."""
    path = os.path.join(s.folder, "change.jsonl")
    for name in ("new-%d.jsonl" % number, "2026/part-1.jsonl"):
        with open(path, "w", encoding="utf-8") as file:
            file.write('{"change": %d}\n' % number)
        s.run("data", "cp", path, "aws-eu:raw/returns/" + name, folder=folder)
    gone = "new-%d.jsonl" % (number - 1)
    if gone in source_of(s, folder):
        s.run("data", "rm", "aws-eu:raw/returns/" + gone, folder=folder)


def survives_crashes(s, folder):
    seed = int(os.environ.get("ISOBAR_SEED", random.SystemRandom().randrange(1 << 32)))
    print("seed %d (ISOBAR_SEED repeats it)" % seed)
    draw = random.Random(seed)
    log = os.path.join(s.folder, "boundaries")
    change_source(s, folder, 1)
    s.run("run", "dataset/returns", folder=folder, env={"ISOBAR_CRASH_LOG": log})
    with open(log, encoding="utf-8") as file:
        boundaries = len(file.readlines())
    need(boundaries > 10, "%d boundaries", boundaries)
    for number, at in enumerate(sorted(draw.sample(range(1, boundaries + 1), min(CRASHES, boundaries))), 2):
        change_source(s, folder, number)
        s.run("run", "dataset/returns", folder=folder, env={"ISOBAR_CRASH_AT": at}, expect=None)
        s.run("run", "dataset/returns", folder=folder)
        equal_to_source(s, folder)
        before = len(state_query(folder, "SELECT 1 FROM event WHERE type = 'transfer.done'"))
        s.run("run", "dataset/returns", folder=folder)
        same(len(state_query(folder, "SELECT 1 FROM event WHERE type = 'transfer.done'")), before, "transfers of a run with nothing to do")
        open_intents = state_query(folder, "SELECT key FROM record WHERE key LIKE 'intent/replica/%'")
        same(open_intents, [], "intents left open after boundary %d" % at)


def kept_up_to_date(s):
    folder = prepare(s, "up")
    s.apply(folder)
    up = s.start("up", "--foreground", folder=folder)
    try:
        wait_for("copies made by the control plane itself", lambda: all(
            one["lag_s"] is not None for one in s.status(folder)["replicas"]) and len(s.status(folder)["replicas"]) == 4, 60)
        equal_to_source(s, folder)
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=60)
    s.run("down", folder=folder)


def test(s):
    refused_at_validate(s)
    folder = prepare(s, "w")
    s.apply(folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")
    copied(s, folder)
    refused_at_the_byte(s, folder)
    survives_crashes(s, folder)
    s.run("down", folder=folder)
    kept_up_to_date(s)
    refused_at_plan(s)


run_test(test)
