#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Overrides: who may change what at run time is in the field's row; apply keeps them, and never changes the same field behind them."""
import os

from scenario import need, run_test, same, wait_for


def change(folder, old, new):
    path = os.path.join(folder, "isobar.yaml")
    with open(path) as file:
        text = file.read()
    need(old in text, "%s is not in the workspace", old)
    with open(path, "w") as file:
        file.write(text.replace(old, new))


def overrides(s, folder):
    return s.run("overrides", "-o", "json", folder=folder).json()["overrides"]


def test_refusals(s, folder):
    for arguments, code, text in (
            (("endpoint/classify", "model", "x@y", "--reason", "r"), 4, "model of endpoint may not be overridden while it runs"),
            (("endpoint/classify", "scale.min", "100000", "--reason", "r"), 2, "scale.min of endpoint: expected"),
            (("endpoint/classify", "scale.mim", "2", "--reason", "r"), None, "traffic"),
            (("endpoint/classify", "scale.min", "2"), 2, "an override needs a reason"),
            (("endpoint/nothing", "scale.min", "2", "--reason", "r"), None, "there is no resource endpoint/nothing")):
        refused = s.run("override", *arguments, folder=folder, expect=code)
        need(refused.code != 0 and text in refused.err, "%s", refused)
    same(overrides(s, folder), [], "overrides after refusals")


def test_conflict(s, folder):
    s.run("override", "endpoint/classify", "scale.min", "2", "--reason", "more at night", folder=folder)
    made = overrides(s, folder)
    same([(o["address"], o["value"], o["reason"], o["expires"]) for o in made],
         [("endpoint/classify on " + cloud, 2, "more at night", "") for cloud in ("aws-us", "azure-eu", "gcp-eu")], "overrides")
    event = s.run("events", "--type", "override.set", "-o", "json", folder=folder).json()["events"][0]
    need(event["data"]["author"].startswith("user/") and event["data"]["reason"] == "more at night", "%s", event)
    planned = s.run("plan", folder=folder).out
    need("Overrides in force" in planned and "endpoint/classify on aws-us: scale.min = 2 by user/" in planned, "%s", planned)
    change(folder, "cpu: 1", "cpu: 0.5")  # another field
    s.apply(folder)
    same(overrides(s, folder), made, "overrides after an apply")
    change(folder, "scale: {min: 1, max: 1}", "scale: {min: 3, max: 4}")
    refused = s.run("plan", folder=folder, expect=4)
    need("the workspace changes scale.min, which user/" in refused.out and "isobar overrides end" in refused.out, "%s", refused)
    s.run("apply", "--auto-approve", folder=folder, expect=5)
    for cloud in ("aws-us", "azure-eu", "gcp-eu"):
        s.run("overrides", "end", "endpoint/classify on " + cloud, "--reason", "enough", folder=folder)
    same(overrides(s, folder), [], "overrides that ended")
    s.apply(folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")


def test_expiry(s, folder):
    s.run("override", "endpoint/classify on aws-us", "traffic", "50%", "--reason", "try", "--expires", "1s", folder=folder)
    wait_for("the end of the override", lambda: overrides(s, folder) == [])
    need("Overrides in force" not in s.run("plan", folder=folder).out, "the plan shows what has ended")


def test(s):
    folder = s.workspace(images=False)
    s.apply(folder)
    test_refusals(s, folder)
    test_conflict(s, folder)
    test_expiry(s, folder)
    s.run("down", folder=folder)


run_test(test)
