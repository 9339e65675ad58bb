#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Buckets that were there before: one that is used and never touched, one that becomes ours, and those of others, which nobody takes over
by accident."""
import os

from changes import S3, write
from scenario import need, run_test, same

KEEP = "  raw: {clouds: [aws-us], name: raw-x, existing: keep}\n"
ADOPT = "  old: {clouds: [aws-us], name: old-x, existing: adopt, labels: {team: ml}}\n"


def buckets(*lines):
    return "buckets:\n  lake: {clouds: [aws-us]}\n" + "".join(lines)


def check_keep_and_adopt(s, folder, s3):
    write(folder, buckets(KEEP, ADOPT))
    planned = s.run("plan", folder=folder).out
    for text in ("# bucket/raw on aws-us will be used and stays as it is", "# bucket/old on aws-us will be adopted",
                 'labels.team = (absent) -> "ml"', "1 to adopt, 1 to use."):
        need(text in planned, "the plan does not say %r:\n%s", text, planned)
    s.apply(folder)
    same(s3.tags("raw-x"), {}, "tags of the bucket that is only used")
    tags = s3.tags("old-x")
    same({name: tags[name] for name in ("theirs", "team", "isobar-workspace")},
         {"theirs": "1", "team": "ml", "isobar-workspace": "shop"}, "tags of the adopted bucket")
    need(s.plan_is_empty(folder), "a second plan is not empty")
    s3.set_tags("raw-x", {"changed": "1"})
    same(s.run("plan", "--refresh-only", "-o", "json", folder=folder).json()["changes"], [], "changes of what is only used")


def check_others(s, folder, s3):
    """Nothing is done, and the refusal names the owner and what to do."""
    write(folder, buckets(KEEP, ADOPT, "  tf: {clouds: [aws-us], name: tf-x, existing: adopt}\n  later: {clouds: [aws-us]}\n"))
    planned = s.run("plan", folder=folder, expect=4)
    need("bucket/tf on aws-us: it belongs to Terraform (ManagedBy=terraform): " in planned.out, "%s", planned)
    need("terraform state rm" in planned.out, "%s", planned)
    s.run("apply", "--auto-approve", folder=folder, expect=4)
    need(not s3.exists("shop-later"), "an apply that was refused made something")
    refused = s.run("adopt", "bucket/tf on aws-us", "tf-x", folder=folder, expect=4)
    need("--from 'Terraform'" in refused.err, "%s", refused)
    s.run("adopt", "bucket/tf on aws-us", "tf-x", "--from", "terraform", folder=folder)
    same(s3.tags("tf-x")["isobar-workspace"], "shop", "mark of the bucket that was taken over")
    s.apply(folder)
    need(s.plan_is_empty(folder), "a second plan is not empty")


def check_names_that_are_taken(s, folder, s3):
    """Declared as new, and there already: by hand, by another tool, by another workspace."""
    other = {"isobar-workspace": "other", "isobar-uid": "1234"}
    for name, tags, text in (("hand", {}, "exists already and Isobar did not make it: write `existing: adopt`"),
                             ("pulumi", {"pulumi:project": "x"}, "belongs to Pulumi (pulumi:project=x)"),
                             ("helm", {"meta.helm.sh/release-name": "x"}, "belongs to Helm"),
                             ("stack", {"app.kubernetes.io/managed-by": "argo"}, "belongs to Kubernetes"),
                             ("ours", other, "belongs to the Isobar workspace other")):
        s3.make("taken-" + name, tags)
        write(folder, buckets(KEEP, ADOPT, "  tf: {clouds: [aws-us], name: tf-x, existing: adopt}\n  later: {clouds: [aws-us]}\n",
                              "  new: {clouds: [aws-us], name: taken-%s}\n" % name))
        failed = s.run("apply", "--auto-approve", folder=folder, expect=None)
        need(failed.code != 0 and text in failed.err, "%s: %s", name, failed)
        same(s3.tags("taken-" + name), tags, "tags of what is not ours")


def test(s):
    folder = os.path.join(s.folder, "w")
    write(folder, buckets())
    s.apply(folder)
    s3 = S3(folder)
    need(s3.tags("shop-lake")["isobar-workspace"] == "shop", "a bucket of ours has no mark")
    s3.make("raw-x")
    s3.make("old-x", {"theirs": "1"})
    s3.make("tf-x", {"ManagedBy": "terraform"})
    check_keep_and_adopt(s, folder, s3)
    check_others(s, folder, s3)
    check_names_that_are_taken(s, folder, s3)
    write(folder, buckets(KEEP))
    s.run("plan", folder=folder)
    s.apply(folder)  # what was adopted and is no longer written is deleted; "new" failed and may be ours: so is its record
    need(s3.exists("raw-x") and not s3.exists("old-x"), "after the apply")
    need(s3.exists("taken-hand") and s3.exists("taken-ours"), "what is not ours was deleted")
    s3.put("raw-x", "a")
    s.run("destroy", "--auto-approve", folder=folder)
    kept = os.path.join(folder, ".isobar/pocket/aws-us/buckets")
    need("raw-x" in os.listdir(kept) and "shop-lake" not in os.listdir(kept), "after the destroy: %s", os.listdir(kept))


run_test(test)
