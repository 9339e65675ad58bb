#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes from outside: shown, recorded when that is asked for, and reverted only where the workspace says so."""
import os

from changes import S3, write
from scenario import need, run_test, same

BODY = "buckets:\n  loose: {clouds: [aws-us], labels: {team: ml}}\n  strict: {clouds: [aws-us], labels: {team: ml}, drift: revert}\n"


def marked(tags, **more):
    return {**{name: value for name, value in tags.items() if name.startswith("isobar")}, **more}


def test(s):
    folder = os.path.join(s.folder, "w")
    write(folder, BODY)
    s.apply(folder)
    s3 = S3(folder)
    same(s.run("plan", "--refresh-only", "--detailed-exitcode", folder=folder).out,
         "No changes. Nothing was changed outside of Isobar.\n", "what changed outside")
    for name in ("shop-loose", "shop-strict"):
        s3.set_tags(name, marked(s3.tags(name), team="ops", new="1"))

    planned = s.run("plan", folder=folder).out
    for text in ("Changed outside of Isobar (not reverted):\n  bucket/loose on aws-us\n",
                 "# bucket/strict on aws-us will be changed in place: it was changed outside of Isobar",
                 'settings.labels.team = "ops" -> "ml"', "Plan: 0 to create, 1 to change, 0 to replace, 0 to delete."):
        need(text in planned, "the plan does not say %r:\n%s", text, planned)
    refresh = s.run("plan", "--refresh-only", "--detailed-exitcode", expect=2, folder=folder).out
    need("bucket/strict on aws-us will be recorded as it is" in refresh and 'team = "ml" -> "ops"' in refresh, "%s", refresh)

    s.apply(folder)
    tags = s3.tags("shop-strict")
    same(tags, marked(tags, team="ml"), "tags that were reverted")
    same(s3.tags("shop-loose")["team"], "ops", "a tag that is only reported")
    need("bucket/loose on aws-us" in s.run("plan", folder=folder).out, "what is not recorded is no longer reported")

    applied = s.run("apply", "--refresh-only", "--auto-approve", folder=folder)
    need("Apply complete: 1 done" in applied.out, "%s", applied)
    need(s.plan_is_empty(folder), "a second plan is not empty")
    need("Changed outside" not in s.run("plan", folder=folder).out, "what was recorded is reported still")
    same(s3.tags("shop-loose")["new"], "1", "a tag of others, after the refresh")

    # A label of ours that changes goes its way; what others wrote stays.
    write(folder, BODY.replace("loose: {clouds: [aws-us], labels: {team: ml}", "loose: {clouds: [aws-us], labels: {group: ml}"))
    s.apply(folder)
    tags = s3.tags("shop-loose")
    same(tags, marked(tags, group="ml", new="1"), "tags after a change of ours")

    # Gone: the refresh forgets it, and the next plan makes it.
    s3.must("DELETE", "/shop-loose")
    refresh = s.run("apply", "--refresh-only", "--auto-approve", folder=folder).out
    need("bucket/loose on aws-us will be forgotten: was deleted outside of Isobar" in refresh, "%s", refresh)
    need("bucket/loose on aws-us will be created" in s.run("plan", folder=folder).out, "what is gone is not made again")
    s.apply(folder)
    need(s3.exists("shop-loose") and s.plan_is_empty(folder), "after all of it")
    s.run("down", folder=folder)


run_test(test)
