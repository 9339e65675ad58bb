#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each environment has a state of its own, and the first one's stays when others come: nothing is lost, nothing is shared."""
import os

from scenario import need, run_test, same

BASE = """isobar: 1
workspace: shop
variables:
  rotate: {type: duration, default: 30d}
environments:
%sclouds:
  aws-us: {provider: aws, region: us-east-1}
encryption_keys:
  lake: {clouds: all, rotate: "${var.rotate}"}
buckets:
  lake: {clouds: all, encrypt_with: lake}
"""


def write(folder, *environments):
    os.makedirs(os.path.join(folder, "env"), exist_ok=True)
    with open(os.path.join(folder, "isobar.yaml"), "w", encoding="utf-8") as file:
        file.write(BASE % "".join("  %s: {pocket: true, overlay: env/%s.yaml}\n" % (name, name) for name in environments))
    for name in environments:
        with open(os.path.join(folder, "env", name + ".yaml"), "w", encoding="utf-8") as file:
            file.write("variables: {rotate: %d0d}\n" % (3 + len(name)))


def exists(folder, name):
    return os.path.exists(os.path.join(folder, ".isobar", name))


def planned(s, folder, *more):
    return s.run("plan", "-o", "json", *more, folder=folder).json()


def test_two_states(s):
    folder = os.path.join(s.folder, "states")
    write(folder, "dev")
    s.apply(folder)
    need(exists(folder, "state.db"), "no state in .isobar")
    write(folder, "dev", "prod")
    refused = s.run("plan", folder=folder, expect=2)
    need("which environment? say --env NAME (or ISOBAR_ENV) with one of: dev, prod" in refused.err, "%s", refused)
    need(planned(s, folder, "--env", "dev")["empty"], "the first environment has something to do")
    need(not planned(s, folder, "--env", "prod")["empty"], "the second environment knows what it never applied")
    s.run("apply", "--auto-approve", "--env", "prod", folder=folder)
    need(exists(folder, "env/prod/state.db") and not exists(folder, "env/dev/state.db"), "states lie elsewhere")
    need(exists(folder, "env/prod/pocket/aws-us") and exists(folder, "pocket/aws-us"), "the clouds of both are one")
    for name in ("dev", "prod"):
        need(planned(s, folder, "--env", name)["empty"], "a second plan of %s is not empty", name)
    resources = s.run("plan", "-o", "json", "--var", "rotate=45d", "--env", "prod", folder=folder).json()
    same([(c["address"], c["action"]) for c in resources["changes"]], [("encryption-key/lake on aws-us", "update")], "changes")
    write(folder, "prod")  # dev is gone: its state is not taken over
    need(planned(s, folder)["empty"], "the one that is left has something to do")
    write(folder, "dev", "prod")
    for name in ("prod", "dev"):
        s.run("destroy", "--auto-approve", "--objects", "--env", name, folder=folder)
    need(not planned(s, folder, "--env", "dev")["empty"], "dev was not destroyed")


def test_untrusted(s):
    folder = os.path.join(s.folder, "untrusted")
    write(folder, "dev")
    before = planned(s, folder, "--untrusted")
    same(before["empty"], False, "the first plan")
    need(not exists(folder, "pocket"), "a plan of an untrusted workspace started a cloud")
    for command in (["apply", "--auto-approve"], ["destroy", "--auto-approve"]):
        refused = s.run(*command, "--untrusted", folder=folder, expect=4)
        need("an untrusted workspace can be validated and planned, and nothing else" in refused.err, "%s", refused)
    need(not exists(folder, "pocket"), "an untrusted workspace started a cloud")


def test(s):
    test_two_states(s)
    test_untrusted(s)


run_test(test)
