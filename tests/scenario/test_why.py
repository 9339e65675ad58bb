#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`isobar why` knows every id that any command printed, and its chain goes from an answer to the bytes that it came from, and back."""
import json
import os
import subprocess
import sys

from scenario import HERE, need, run_test, same


def printed(s, folder):
    """Every id in what the reading commands print."""
    def listed(command, member):
        return s.run(*command.split(), "-o", "json", folder=folder).json()[member]

    ids = {}
    for event in listed("events", "events"):
        ids["event/%d" % event["sequence"]] = "an event"
        ids[event["trace"]] = "a trace"
        if event["address"]:
            ids[event["address"]] = "the address of an event"
        data = event["data"]
        for member in ("run", "action", "sha256"):
            if isinstance(data.get(member), str) and data[member]:
                ids[data[member]] = "the %s of event %s" % (member, event["type"])
        if (data.get("input") or {}).get("job"):
            ids[data["input"]["job"]] = "a job"
    for model in listed("models", "models"):
        for version in model["versions"]:
            ids["model/%s@%s" % (model["name"], version["version"])] = "a version"
            ids[version["sha256"][:12]] = "a version's digest as the table prints it"
        for alias in model["aliases"]:
            ids["model/%s@%s" % (model["name"], alias)] = "an alias"
    for line in listed("cost", "transfers"):
        ids[line["id"]] = "a cost line"
    for override in listed("overrides", "overrides"):
        ids["%s#%s" % (override["address"], override["field"])] = "an override"
    for endpoint in listed("endpoints", "endpoints"):
        ids[endpoint["address"]] = "an endpoint"
    place = "aws-us:lake/models/classifier/1/"
    for item in s.run("data", "ls", place, "-o", "json", folder=folder).json()["objects"]:
        ids["aws-us:lake/" + item["name"]] = "an object"
    audit = os.path.join(folder, ".isobar/gateways/edge/audit")
    for name in sorted(os.listdir(audit)):
        for line in open(os.path.join(audit, name)) if name[0].isdigit() else ():
            record = json.loads(line)
            if record["body"]["kind"] == "request":
                ids["gateway/edge#%d" % record["index"]] = "an audit record"
                ids[record["body"]["trace"]] = "a request's trace"
    return ids


def chain(s, folder, thing, way):
    return {item["id"] for item in s.run("why", thing, "-o", "json", folder=folder).json()[way]}


def test(s):
    folder = s.workspace()
    s.apply(folder)
    s.make(folder)
    asked = subprocess.run([sys.executable, os.path.join(HERE, "scenario.py"), "infer", folder, "3"], check=False, capture_output=True, text=True)
    need("200 [" in asked.stdout, "no answer: %s", asked.stdout + asked.stderr)
    s.run("override", "endpoint/classify on azure-eu", "traffic", "0%", "--reason", "bad answers", folder=folder)

    ids = printed(s, folder)
    need(len(ids) > 200, "only %d ids", len(ids))
    for thing, what in sorted(ids.items()):
        story = s.run("why", thing, "-o", "json", folder=folder, expect=None)
        need(story.code == 0, "%s (%s) is not known: %s", thing, what, story)

    run = next(e for e in s.run("events", "--type", "model.registered", "-o", "json", folder=folder).json()["events"])["data"]["lineage"]["inputs"]
    runs = {"%s/%s" % pair for pair in run.items()}
    request = chain(s, folder, "gateway/edge#1", "because")
    need(runs <= request and "model/classifier/1" in request and "api-key/shop-app" in request and "revision/1" in request, "%s", request)
    then = chain(s, folder, "dataset/images/%s" % run["dataset/images"], "then")
    need({"model/classifier/1", "model/classifier@champion", "endpoint/classify on aws-us"} <= then, "%s", then)
    cost = s.run("why", "model/classifier/1", "-o", "json", folder=folder).json()["cost"]
    need(cost["of_all"]["bytes"] > 0 and cost["of_all"]["amount"] > 0, "%s", cost)
    overridden = s.run("why", "endpoint/classify on azure-eu#traffic", folder=folder).out
    need("bad answers" in overridden, "%s", overridden)

    unknown = s.run("why", "nonsense", folder=folder, expect=3).err
    need('nothing is known of "nonsense"' in unknown, "%s", unknown)
    same(s.run("why", "gateway/edge#x", folder=folder, expect=2).out, "", "an index that is none")
    s.run("down", folder=folder)


run_test(test)
