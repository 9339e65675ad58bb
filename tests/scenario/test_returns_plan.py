#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The workspace of real accounts (examples/returns): it validates in all its environments, plans in each, and in its pocket environment
it is applied. What no code of this release acts on waits or is recorded, and both are named; nothing else waits. Other people's buckets
come from stand-ins, records are made up and copied to all clouds, and a second plan is empty."""
import os
import shutil

from scenario import ROOT, need, run_test, same

LATER = "waiting on a later release: "
NO_VERSION = "model/fraud has no version with the alias champion"
WAITING = {
    "transform/features": LATER + "sql, split",
    "model/fraud": LATER + "aliases.candidate.needs, aliases.champion.needs, aliases.champion.approve",
    "model/helper": LATER + "source",
    "tracking/workspace": LATER + "tracking",
    "metrics/workspace": LATER + "metrics",
    "budget/team": LATER + "budgets",
    "channel/oncall": LATER + "pagerduty",
    "channel/dpo": LATER + "email",
    "identity-provider/staff": LATER + "identity_providers",
    "endpoint/helper on gcp-eu": LATER + "server.engine, scale.min",
    "endpoint/helper-azure on azure-eu": LATER + "api",
    "endpoint/fraud on aws-eu": NO_VERSION,
    "endpoint/fraud on gcp-eu": NO_VERSION,
    "route/fraud": LATER + "require.all",
    "route/chat": LATER + "match.model, to, require.any, limits, filter",
}
RECORDED = {
    "cloud/aws-eu": "credentials.assume, jobs, endpoints",
    "cloud/azure-eu": "resource_group",
    "cloud/munich": "connect, jobs, keys, prices",
    "dataset/returns": "subject, purpose, keep, checks",
    "training/fraud": "image, resources.accelerator, place.prefer, place.spot, place.at_most, checkpoint",
    "model/fraud": "card, ai_act",
    "model/helper": "licence",
    "endpoint/fraud on aws-eu": "scale.max, scale.target, rollout",
    "endpoint/fraud on gcp-eu": "scale.max, scale.target, rollout",
    "endpoint/helper on gcp-eu": "server.args, resources.accelerator, scale.max, scale.idle",
    "monitor/fraud-answers": "rules[2].signal, rules[2].labels, rules[2].join, then",
    "audit/workspace": "keep.at_least, keep.at_most, copies, timestamp",
    "gateway/edge": "hosts, tls",
    "route/fraud": "record",
    **{"encryption-key/lake on " + cloud: "rotate" for cloud in ["aws-eu", "gcp-eu", "azure-eu", "munich"]},
    **{"bucket/%s on %s" % one: "versioning" for one in [("raw", "aws-eu"), ("old", "gcp-eu"), ("lake", "aws-eu"), ("lake", "gcp-eu"),
                                                         ("lake", "azure-eu"), ("lake", "munich")]},
}
# What the overlays change: dev serves on one cloud and has no rollout; prod serves on three, and its helper never sleeps.
OF_DEV = ({"endpoint/fraud on aws-eu": None}, {"endpoint/fraud on aws-eu": None, "endpoint/fraud on gcp-eu": "scale.max, scale.target"})
OF_PROD = ({"endpoint/fraud on azure-eu": NO_VERSION, "endpoint/helper on gcp-eu": LATER + "server.engine"},
           {"endpoint/fraud on azure-eu": "scale.max, scale.target, rollout"})


def changed(base, changes):
    return {name: value for name, value in {**base, **changes}.items() if value}


def copy(s, name):
    folder = os.path.join(s.folder, name)
    shutil.copytree(os.path.join(ROOT, "examples/returns"), folder, ignore=shutil.ignore_patterns(".isobar"))
    return folder


def told(plan, headline, gap):
    """The lines below a headline, as a map."""
    lines = plan.out.split(headline)[1].split("\n\n")[0].splitlines()[1:]
    return {key.strip(): text.strip() for key, _, text in (line.partition(gap) for line in lines)}


def waiting(plan):
    found = {}
    for line in plan.out.split("Waiting (recorded")[1].split("\n\n")[0].splitlines()[1:]:
        gap = " <= " if " <= " in line else ": "
        address, _, why = line.strip().partition(gap)
        found[address] = why
    return found


def recorded(plan):
    return told(plan, "\nRecorded, and acted on by a later release:", ": ")


def check_accounts(s):
    folder = copy(s, "accounts")
    for environment, count, (waits, records) in [("dev", 34, OF_DEV), ("prod", 36, OF_PROD)]:
        plan = s.run("plan", "--env", environment, "--untrusted", folder=folder)
        same(waiting(plan), changed(WAITING, waits), "what waits in " + environment)
        same(recorded(plan), changed(RECORDED, records), "what is recorded in " + environment)
        need("Plan: %d to create, 0 to change, 0 to replace, 0 to delete, 1 to adopt, 2 to use." % count in plan.out, "%s", plan)
        same("It needs 2 approvals" in plan.out, environment == "prod", "approvals in " + environment)


def check_pocket(s):
    folder = copy(s, "pocket")
    plan = s.run("plan", "--env", "pocket", folder=folder)
    same(waiting(plan), WAITING, "what waits")
    same(recorded(plan), RECORDED, "what is recorded")
    need("1 to adopt, 2 to use" in plan.out, "%s", plan)
    s.apply(folder, env={"ISOBAR_ENV": "pocket"})
    again = s.run("plan", "--env", "pocket", "--detailed-exitcode", folder=folder)
    need("No changes." in again.out, "the second plan is not empty: %s", again)
    same(waiting(again), WAITING, "what waits then")
    made = s.run("run", "dataset/returns", "--env", "pocket", folder=folder)
    for cloud in ["aws-eu", "gcp-eu", "azure-eu", "munich"]:
        need("%s: 1 files" % cloud in made.out + made.err, "no copy on %s: %s", cloud, made)
    refused = s.run("run", "model/fraud@champion", "--env", "pocket", folder=folder, expect=None)
    need(refused.code != 0 and "waits on a later release" in refused.err, "it was made: %s", refused)
    s.run("down", "--env", "pocket", folder=folder)


def test(s):
    folder = copy(s, "valid")
    valid = s.run("validate", folder=folder)
    same(valid.out, "The workspace returns is valid: 38 resources in pocket, 37 resources in dev, 39 resources in prod.\n", "validate")
    for environment, count in [("pocket", 38), ("dev", 37), ("prod", 39)]:
        one = s.run("validate", "--env", environment, folder=folder)
        same(one.out, "The workspace returns is valid: %d resources.\n" % count, "validate in " + environment)
    demo = s.run("validate", os.path.join(ROOT, "examples/fashion"))
    same(demo.out, "The workspace fashion is valid: 25 resources.\n", "the demo")
    check_accounts(s)
    check_pocket(s)


run_test(test)
