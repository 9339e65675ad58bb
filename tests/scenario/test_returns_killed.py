#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The workspace of real accounts in its pocket environment, a cloud killed in the middle of `apply` and another in the middle of a copy: what
could be done is done, the rest is told, the same command again does the rest and nothing twice; and a cloud that is back soon is waited for. Then each resource is ready or waits with its
reason, the records lie byte by byte on each cloud inside the EU and on none outside, a plan is empty, and all of it can be taken away."""
import hashlib
import json
import os
import shutil
import signal
import subprocess

from scenario import ROOT, is_alive, need, read_bytes, run_test, same, wait_for

INSIDE, OUTSIDE = ("aws-eu", "gcp-eu", "azure-eu", "munich"), "aws-us"
REASONS = ("waiting on a later release: ", "model/fraud has no version with the alias champion")
UNAVAILABLE, DENIED = 7, 4
COPY = "lake/datasets/returns/files/part-0.parquet"


def edit(path, old, new):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    need(old in text, "%s has no %r", path, old)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


class Returns:
    """A copy of the example with one cloud more, outside of the EU: its lake is made as all others, and no record may lie there."""

    def __init__(self, s):
        self.s, self.folder = s, os.path.join(s.folder, "returns")
        shutil.copytree(os.path.join(ROOT, "examples/returns"), self.folder, ignore=shutil.ignore_patterns(".isobar"))
        edit(os.path.join(self.folder, "clouds.yaml"), "clouds:\n", "clouds:\n  %s: {provider: aws, region: us-east-1}\n" % OUTSIDE)
        os.environ["ISOBAR_ENV"] = "pocket"
        self.state = os.path.join(self.folder, ".isobar/env/pocket")

    def run(self, *arguments, **more):
        return self.s.run(*arguments, folder=self.folder, **more)

    def root(self, cloud):
        return os.path.join(self.state, "pocket", cloud)

    def hold(self, cloud, rule):
        """The cloud will not get on with what the rule matches, also when it is started later."""
        os.makedirs(self.root(cloud), mode=0o700, exist_ok=True)
        with open(os.path.join(self.root(cloud), "faults"), "w", opener=lambda name, flags: os.open(name, flags, 0o600), encoding="utf-8") as file:
            file.write(rule + "\n")

    def killed_within(self, cloud, command, told, back=False):
        """Runs the command; kills the cloud once the command's output has every text of `told`; with `back` starts it again at once.
        The command's exit code and output."""
        out = os.path.join(self.s.folder, "told")
        with open(out, "w", encoding="utf-8") as file:
            process = self.s.start(*command, folder=self.folder, stdout=file, stderr=file)

        def text():
            with open(out, encoding="utf-8") as now:
                said = now.read()
            need(process.poll() is None, "it ended by itself: %s", said)
            return said

        wait_for("what the other clouds do", lambda: all(one in text() for one in told), 60)
        pid = self.pid(cloud)
        line = read_bytes("/proc/%d/cmdline" % pid).decode().split("\0")[1:-1]
        os.kill(pid, signal.SIGKILL)
        wait_for("its end", lambda: not is_alive(pid))
        os.remove(os.path.join(self.root(cloud), "faults"))
        if back:
            self.s.start(*line, folder=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        code = process.wait(timeout=120)
        with open(out, encoding="utf-8") as file:
            return code, file.read()

    def pid(self, cloud):
        with open(os.path.join(self.root(cloud), "announce.json"), encoding="utf-8") as file:
            return json.load(file)["pid"]

    def names(self, place):
        return [one["name"] for one in self.run("data", "ls", "-r", place, "-o", "json").json()["objects"]]

    def digest(self, place):
        path = os.path.join(self.s.folder, "object")
        self.run("data", "cp", place, path)
        with open(path, "rb") as file:
            data = file.read()
        os.remove(path)
        return (len(data), hashlib.sha256(data).hexdigest())

    def stored(self, cloud, name):
        """Files of the pocket cloud's folder whose path or bytes have the name in them."""
        found = []
        for where, _, names in os.walk(self.root(cloud)):
            for path in (os.path.join(where, one) for one in names if not one.startswith(("announce", "credentials", "admin"))):
                with open(path, "rb") as file:
                    if name in path or name.encode() in file.read():
                        found.append(path)
        return found


def check_apply(r):
    r.hold("azure-eu", "stall 50s PUT /azureeu/**")
    others = ["bucket/lake on %s: created" % cloud for cloud in ("aws-eu", "gcp-eu", "munich", OUTSIDE)]
    others.append("encryption-key/lake on azure-eu: created")
    code, told = r.killed_within("azure-eu", ["apply", "--auto-approve"], others)
    same(code, UNAVAILABLE, "exit code of an apply with a cloud killed midway, that said\n" + told)
    for one in (" on azure-eu: failed: ", "dataset/returns: skipped: not tried: something that it needs failed\n", "isobar: 1 of "):
        need(one in told, "it did not say %r: %s", one, told)
    left = [one["address"] for one in r.run("plan", "-o", "json", "--detailed-exitcode", expect=2).json()["changes"] if one["action"] != "nothing"]
    need("bucket/lake on azure-eu" in left and "dataset/returns" in left, "the plan in between: %s", left)
    same([one for one in left if one + ": created" in told], [], "what would be made twice")
    again = r.run("apply", "--auto-approve")
    need("bucket/lake on azure-eu: created" in again.err and "bucket/lake on gcp-eu" not in again.err, "the second apply: %s", again)


def check_resources(r):
    plan = r.run("plan", "-o", "json", "--detailed-exitcode").json()
    need(plan["empty"], "the plan is not empty: %s", plan["changes"])
    waiting = [one for one in plan["changes"] if one.get("waiting")]
    same(len(waiting), plan["waiting"], "what waits with its reason")
    for one in waiting:
        need(one["action"] == "nothing" and one["waiting"].startswith(REASONS), "%s waits without a reason: %s", one["address"], one)
    resources = r.run("status", "-o", "json").json()["resources"]
    same((resources["failed"], resources["waiting"]), (0, len(waiting)), "resources that failed, that wait")
    same(resources["ready"] + resources["waiting"], resources["total"], "resources that are ready or wait")


def check_copies(r):
    r.hold("gcp-eu", "stall 50s")
    code, told = r.killed_within("gcp-eu", ["run", "dataset/returns"], ["dataset/returns: aws-eu: 1 files"], back=True)
    same((code, "dataset/returns: gcp-eu: 1 files" in told), (0, True), "the end of a run with a cloud killed midway, that said\n" + told)
    same(r.run("run", "dataset/returns").err.count(" up to date\n"), 1, "datasets that are up to date")
    r.run("run", "dataset/catalogue")
    wanted = r.digest("aws-eu:raw/returns/part-0.parquet")
    for cloud in INSIDE:
        same(r.digest("%s:%s" % (cloud, COPY)), wanted, "bytes of the copy on " + cloud)
        need("2 in order" in r.run("data", "verify", cloud + ":lake/").out, "checksums on " + cloud)
    same(r.names(OUTSIDE + ":lake/"), [], "what lies outside of the EU")
    same(r.stored(OUTSIDE, "returns/part-0"), [], "files of the cloud outside of the EU")
    same([cloud for cloud in INSIDE if any("catalogue" in name for name in r.names(cloud + ":lake/"))], [], "copies that nobody asked for")


def check_destroy(r):
    refused = r.run("destroy", "--objects", "--auto-approve", expect=DENIED)
    need("protect" in refused.out + refused.err and "bucket/lake on azure-eu" in refused.out + refused.err, "%s", refused)
    same(len(r.names("azure-eu:lake/")), 2, "objects after a destroy that was refused")
    edit(os.path.join(r.folder, "data.yaml"), "protect: true", "protect: false")
    r.run("apply", "--auto-approve")
    need("Destroy complete" in r.run("destroy", "--objects", "--auto-approve").out, "destroy")
    for cloud in INSIDE + (OUTSIDE,):
        same(r.stored(cloud, "lumen-returns-pocket"), [], "what is left of the lake on " + cloud)


def test(s):
    r = Returns(s)
    check_apply(r)
    check_resources(r)
    check_copies(r)
    check_resources(r)
    check_destroy(r)
    r.run("down")


run_test(test)
