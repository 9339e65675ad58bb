#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Audit logs that somebody changed: `isobar audit verify` and docs/verify.py, which shares no code with it, find the same in each, and an untouched
log is intact for both. The tampering is that of docs/audit.md."""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

from scenario import ROOT, Client, image_pixels, need, run_test, same, state_query

INTACT, ALTERED = 0, 9  # exit codes of audit verify
VERIFY = os.path.join(ROOT, "docs/verify.py")
START = hashlib.sha256(b"isobar audit log").hexdigest()


def segment_of(audit):
    path, = glob.glob(os.path.join(audit, "0*.jsonl"))
    return path


def lines_of(audit):
    with open(segment_of(audit), "rb") as file:
        return file.read().splitlines(keepends=True)


def put_lines(audit, lines):
    with open(segment_of(audit), "wb") as file:
        file.writelines(lines)


def edit(lines):
    at = next(i for i, line in enumerate(lines) if b'"request"' in line)
    lines[at] = lines[at].replace(b'"allowed"', b'"denied"') if b'"allowed"' in lines[at] else lines[at].replace(b'"denied"', b'"allowed"')
    return lines


def chain_anew(lines):
    """The log as a forger would write it: one record edited, everything behind it made to fit."""
    before, out = START, []
    for index, line in enumerate(edit(lines)):
        record = json.loads(line)
        record.update({"prev": before, "index": index})
        line = json.dumps(record, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        before = hashlib.sha256(line[:-1]).hexdigest()
        out.append(line)
    return out


TAMPERINGS = {
    "edited": edit,
    "deleted": lambda lines: lines[:2] + lines[3:],
    "repeated": lambda lines: lines[:3] + lines[2:],
    "moved": lambda lines: lines[:2] + [lines[3], lines[2]] + lines[4:],
    "inserted": lambda lines: lines[:2] + [lines[1]] + lines[2:],
    "cut off": lambda lines: lines[:-2],
    "chained anew": chain_anew,
    "torn": lambda lines: lines[:-1] + [lines[-1][:20]],
    "emptied": lambda lines: lines[:1],
}


def kept_head(s, folder):
    """A head as the state keeps it, for the other program."""
    records = s.run("audit", "verify", "-o", "json", folder=folder).json()
    need(records["intact"], "the untouched log is not intact: %s", records)
    (value,), = state_query(folder, "SELECT value FROM record WHERE key = 'audit-head/edge'")
    path = os.path.join(folder, "head.json")
    with open(path, "w") as file:
        file.write(value)
    return path, json.loads(value)["public_key"]


def both(s, folder, audit, head, key):
    """(exit code of ours, of the other program), what they said"""
    ours = s.run("audit", "verify", folder=folder, expect=None)
    other = subprocess.run([sys.executable, VERIFY, audit, "--head", head, "--key", key], capture_output=True, text=True, check=False)
    return (ours.code, other.returncode), "%s\n%s%s" % (ours, other.stdout, other.stderr)


def test(s):
    folder = s.workspace()
    s.apply(folder)
    s.make(folder)
    for key in (True, False):
        for i in range(4):
            client = Client(folder, key)
            status, _ = client.infer(image_pixels(folder, i, 1))
            client.close()
            same(status, 200 if key else 401, "status of an answer")
    s.run("down", folder=folder)
    audit = os.path.join(folder, ".isobar/gateways/edge/audit")
    untouched = os.path.join(s.folder, "untouched")
    shutil.copytree(audit, untouched)
    need(len(lines_of(audit)) >= 9, "only %d records", len(lines_of(audit)))
    head, key = kept_head(s, folder)
    codes, words = both(s, folder, audit, head, key)
    same(codes, (INTACT, 0), "verdicts on the untouched log (%s)" % words)
    for name, tamper in TAMPERINGS.items():
        put_lines(audit, tamper(lines_of(audit)))
        codes, words = both(s, folder, audit, head, key)
        same(codes, (ALTERED, 1), "verdicts on a log that was %s (%s)" % (name, words))
        shutil.rmtree(audit)
        shutil.copytree(untouched, audit)
    codes, words = both(s, folder, audit, head, key)
    same(codes, (INTACT, 0), "verdicts on the log that was put back (%s)" % words)
    print("%d ways of tampering were found by both" % len(TAMPERINGS))


run_test(test)
