#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A workspace on a disk that fills up, or that becomes read-only: every command says what could not be written and what to do, nothing that was
there is lost, and once there is room the same command goes on. test_disk.py BUILD, as root (a small file system is mounted).

Also the gateway with `audit: strict`: an answer whose record cannot be written is a 503, and the log says afterwards that it has a gap.
"""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenario"))
from crash import check_processes, compare, outcome  # noqa: E402
from scenario import GOAL, ROOT, Client, Failed, image_pixels, need, run_test, same, wait_for  # noqa: E402

FULL, IO, DENIED, INCOMPLETE = 10, 10, 4, 9  # exit codes; the last is a log with a gap
MIB = 1 << 20


class Disk:
    """A file system of our own, with a file that takes the room away."""

    def __init__(self, s, name, size):
        self.folder = s.mount_small(name, size)
        if not self.folder:
            raise Failed("no file system could be mounted: this test needs root (CAP_SYS_ADMIN)")
        self.filler = os.path.join(self.folder, "filler")

    def leave(self, left):
        """Takes all room but `left` bytes."""
        self.free()
        room = os.statvfs(self.folder)
        with open(self.filler, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(room.f_bavail * room.f_frsize - left, 1))

    def free(self):
        if os.path.exists(self.filler):
            os.unlink(self.filler)

    def remount(self, how):
        subprocess.run(["mount", "-o", "remount," + how, self.folder], check=True)


def workspace_on(s, disk, name, start=None):
    folder = os.path.join(disk.folder, name)
    shutil.copytree(start or s.workspace(name), folder, symlinks=True)
    return folder


def told(ended, *words):
    for word in words:
        need(word in ended.err, "%s does not say %r", ended, word)


def check_whole(s, folder, clean):
    check_processes(s, folder)
    compare(outcome(s, folder, lambda found: found[:6]), clean, retried=True)
    need(s.plan_is_empty(folder), "a second plan has something to do")


# ------------------------------------------------------------------ apply and run


def filled(s, disk, command, start, clean, sizes):
    """The command on a disk with so much room left; then there is room."""
    for left in sizes:
        folder = workspace_on(s, disk, "w", start)
        disk.leave(left)
        full = s.run(*command, folder=folder, expect=None, seconds=120)
        if full.code != 0:
            need(full.code in (FULL, 7, 1), "with %d bytes left: %s", left, full)
            need("space" in full.err or "full" in full.err, "%s does not say what lacks", full)
        disk.free()
        s.run(*command, folder=folder, seconds=120)
        check_whole(s, folder, clean)
        s.run("down", folder=folder)
        shutil.rmtree(folder)
        print("%s with %d KiB left: exit code %d, and went on" % (command[0], left >> 10, full.code), flush=True)


def full_from_the_start(s, disk, start):
    folder = workspace_on(s, disk, "none", start)
    disk.leave(0)
    ended = s.run("apply", "--auto-approve", folder=folder, expect=FULL)
    told(ended, "free some space")
    disk.free()
    s.run("apply", "--auto-approve", folder=folder)
    s.run("down", folder=folder)
    shutil.rmtree(folder)


# ------------------------------------------------------------------ the control plane, the gateway


def ask(folder):
    client = Client(folder)
    got = client.infer(image_pixels(folder, 0, 1))
    client.close()
    return got


def refused_in_time(folder):
    """Records go on fitting into the last block of the log's file for a while."""
    for _ in range(100):
        status, text = ask(folder)
        if status != 200:
            same(status, 503, "the gateway's answer (%s)" % text)
            return text
    raise Failed("the gateway answers though no record can be written")


def verify_audit(s, folder):
    verdict = s.run("audit", "verify", folder=folder, expect=INCOMPLETE)
    need("unaltered, but not complete" in verdict.out, "%s", verdict)
    audit = os.path.join(folder, ".isobar/gateways/edge/audit")
    subprocess.run([sys.executable, os.path.join(ROOT, "docs/verify.py"), audit], check=True, stdout=subprocess.DEVNULL)
    return [json.loads(line)["body"]["kind"] for name in sorted(os.listdir(audit)) if name.endswith(".jsonl") and name[0] == "0"
            for line in open(os.path.join(audit, name))]


def serving(s, disk, start):
    """`isobar up` on a disk that fills: it lives on, answers are refused rather than unrecorded, and all goes on by itself."""
    folder = workspace_on(s, disk, "up", start)
    s.run("up", folder=folder)
    wait_for("ready endpoints", lambda: all(e["state"] == "ready" for e in s.status(folder)["endpoints"]))
    wait_for("the gateway", lambda: any(g["up"] for g in s.status(folder)["gateways"]))
    same(ask(folder)[0], 200, "the gateway's answer")
    disk.leave(0)
    refused = refused_in_time(folder)
    need("audit" in refused, "the refusal does not say why: %s", refused)
    s.run("run", GOAL, folder=folder, expect=None)  # whatever it can do; the control plane must not end
    need(s.status(folder)["serving"], "the control plane ended on a full disk")
    disk.free()
    wait_for("an answer once there is room", lambda: ask(folder)[0] == 200)
    same(s.run("run", GOAL, folder=folder).code, 0, "exit code of a run once there is room")
    kinds = verify_audit(s, folder)
    need("gap" in kinds, "the log does not say that it has a gap: %s", kinds)
    s.run("down", folder=folder)
    shutil.rmtree(folder)
    print("up and a strict gateway on a full disk: refused, and went on", flush=True)


# ------------------------------------------------------------------ read-only


def read_only(s, disk, start, clean):
    folder = workspace_on(s, disk, "ro", start)
    disk.remount("ro")
    for command in (("apply", "--auto-approve"), ("run", GOAL)):
        ended = s.run(*command, folder=folder, expect=None)
        need(ended.code in (DENIED, IO), "on a read-only disk: %s", ended)
        told(ended, "ead-only file system", "mount it for writing")
    s.run("validate", folder=folder)  # needs no writing
    disk.remount("rw")
    s.run("run", GOAL, folder=folder, seconds=120)
    check_whole(s, folder, clean)
    s.run("down", folder=folder)
    shutil.rmtree(folder)
    print("a read-only disk: said so, and went on", flush=True)


def test(s):
    first = s.workspace("first")
    applied, made = os.path.join(s.folder, "applied"), os.path.join(s.folder, "made")
    new = os.path.join(s.folder, "new")
    shutil.copytree(first, new)
    s.apply(first)
    clean_apply = outcome(s, first, lambda found: [])
    s.run("down", folder=first)
    shutil.copytree(first, applied, symlinks=True)
    s.make(first)
    clean_run = outcome(s, first, lambda found: [])
    s.run("down", folder=first)
    shutil.copytree(first, made, symlinks=True)
    disk = Disk(s, "disk", 96 * MIB)
    full_from_the_start(s, disk, new)
    filled(s, disk, ("apply", "--auto-approve"), new, clean_apply, (64 << 10, 300 << 10, 700 << 10))
    filled(s, disk, ("run", GOAL), applied, clean_run, (0, 1 * MIB, 4 * MIB, 9 * MIB, 13 * MIB))
    serving(s, disk, made)
    read_only(s, disk, applied, clean_run)


run_test(test)
