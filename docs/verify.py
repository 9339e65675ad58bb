#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies an Isobar audit folder without Isobar: Python 3 alone, nothing to install.

    python3 verify.py FOLDER [--head FILE] [--writer NAME] [--key HEX]

FOLDER holds the segment files (00000000000000000000.jsonl, ...). --head names a JSON file with a head that was kept
elsewhere ({"size", "root", "chain"}, or a list of them): only against such a head can a cut tail or a rewritten log be seen.
--writer and --key say whose log it must be. Exit code 0: intact. 1: altered. 2: could not be read.

The form of the log is described in docs/audit.md. A line is {"body":{...},"index":N,"prev":"64 hex"}; prev is the SHA-256 of the line before it
(without its LF), the lines are the leaves of a Merkle tree as in RFC 6962, and heads.jsonl holds heads signed with Ed25519.
"""
import argparse
import hashlib
import json
import os
import re
import sys

LINE_MAX = 8192
START = hashlib.sha256(b"isobar audit log").hexdigest()


class Altered(Exception):
    """The log is not what it was; index is that of the first bad record."""

    def __init__(self, index, reason):
        super().__init__(reason)
        self.index = index


# ------------------------------------------------------------------ the Merkle tree of RFC 6962, section 2.1


class Tree:
    def __init__(self):
        self.size = 0
        self.frontier = []  # roots of the full subtrees, largest first

    def add(self, line):
        node = hashlib.sha256(b"\0" + line).digest()
        rest = self.size
        while rest & 1:
            node = hashlib.sha256(b"\1" + self.frontier.pop() + node).digest()
            rest >>= 1
        self.frontier.append(node)
        self.size += 1

    def root(self):
        if not self.frontier:
            return hashlib.sha256(b"").hexdigest()
        node = self.frontier[-1]
        for left in reversed(self.frontier[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node.hex()


# ------------------------------------------------------------------ Ed25519, RFC 8032, section 5.1 (verification only)

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)


def point_add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    m, n = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P


def point_multiply(scalar, point):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = point_add(result, point)
        point = point_add(point, point)
        scalar >>= 1
    return result


def point_equal(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def recover_x(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if square == 0:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P:
        return None
    return P - x if (x & 1) != sign else x


def point_decode(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE_X = recover_x(BASE_Y, 0)
BASE = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def signature_valid(key, message, signature):
    public, r = point_decode(key), point_decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if public is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + key + message).digest()
    h = int.from_bytes(digest, "little") % ORDER
    return point_equal(point_multiply(s, BASE), point_add(r, point_multiply(h, public)))


# ------------------------------------------------------------------ the log


def no_duplicates(pairs):
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a member appears twice")
    return result


def parse(line, index):
    if len(line) > LINE_MAX or not all(0x20 <= byte <= 0x7E for byte in line):
        raise Altered(index, f"record {index} is too long or holds a byte that no record has")
    try:
        record = json.loads(line, object_pairs_hook=no_duplicates)
    except ValueError as why:
        raise Altered(index, f"record {index} is not JSON: {why}") from why
    if not isinstance(record, dict) or set(record) != {"body", "index", "prev"} or not isinstance(record["body"], dict):
        raise Altered(index, f"record {index} does not have exactly the members body, index and prev")
    return record


class Log:
    def __init__(self, folder, writer, key):
        self.folder, self.writer, self.key = folder, writer, key
        self.log = None
        self.tree, self.chain = Tree(), START
        self.gaps = self.lost = 0
        self.torn = False
        self.heads_at = {}  # size -> [(source, head)]
        self.proven = self.compared = 0

    def segments(self):
        names = sorted(n for n in os.listdir(self.folder) if re.fullmatch(r"[0-9]{20}\.jsonl", n))
        if not names:
            raise OSError(f"there is no audit log in {self.folder}")
        return names

    def begin_segment(self, record):
        body, index = record["body"], record["index"]
        if body.get("kind") != "segment" or body.get("frontier") != [node.hex() for node in self.tree.frontier]:
            raise Altered(index, f"record {index} does not begin a segment as the records before it make it")
        for name, mine in (("writer", self.writer), ("key", self.key), ("log", self.log)):
            if mine is not None and body.get(name) != mine:
                raise Altered(index, f"record {index}: the {name} is {body.get(name)}, not {mine}")
        self.writer, self.key, self.log = body.get("writer"), body.get("key"), body.get("log")

    def add(self, line, first):
        expected = self.tree.size
        record = parse(line, expected)
        if record["index"] != expected:
            raise Altered(expected, f"record {record['index']} stands in the place of record {expected}")
        if record["prev"] != self.chain:
            at = max(expected - 1, 0)
            raise Altered(at, f"the chain breaks between record {at} and record {expected}: one of them was altered")
        if first:
            self.begin_segment(record)
        elif record["body"].get("kind") == "segment":
            raise Altered(expected, f"record {expected} begins a segment in the middle of one")
        if record["body"].get("kind") == "gap":
            self.gaps += 1
            self.lost += int(record["body"].get("lost", 0))
        self.tree.add(line)
        self.chain = hashlib.sha256(line).hexdigest()
        self.compare_heads()

    def compare_heads(self):
        size = self.tree.size
        for source, head in self.heads_at.pop(size, []):
            if head["root"] != self.tree.root() or (size and head["chain"] != self.chain):
                raise Altered(self.proven, f"a record from {self.proven} to {size - 1} is not what the {source} head of size {size} knows")
            self.compared += 1
            self.proven = size

    def walk(self, names):
        for name in names:
            first_index = int(name[:20])
            if first_index != self.tree.size:
                raise Altered(self.tree.size, f"records from {self.tree.size} on are missing: the next file is {name}")
            with open(os.path.join(self.folder, name), "rb") as file:
                lines = file.read().split(b"\n")
            for number, line in enumerate(lines[:-1]):
                self.add(line, number == 0)
            if lines[-1]:
                if name != names[-1]:
                    raise Altered(self.tree.size, f"record {self.tree.size} is cut off in the middle of the log")
                self.torn = True
        if self.heads_at:
            size = max(self.heads_at)
            raise Altered(self.tree.size, f"the log ends after {self.tree.size} records, but a head has size {size}: its tail is missing")

    def identity(self, names):
        """Log id and key, as the first record names them: the signed heads are checked with these."""
        with open(os.path.join(self.folder, names[0]), "rb") as file:
            body = parse(file.readline().rstrip(b"\n"), 0)["body"]
        return body.get("log"), self.key or body.get("key")

    def add_head(self, source, head):
        self.heads_at.setdefault(head["size"], []).append((source, head))

    def read_signed_heads(self, log, key):
        path = os.path.join(self.folder, "heads.jsonl")
        if not os.path.exists(path):
            return
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")[:-1]
        for number, line in enumerate(lines, 1):
            try:
                head = json.loads(line, object_pairs_hook=no_duplicates)
                text = f"isobar audit head 1\n{head['log']}\n{head['size']}\n{head['root']}\n{head['chain']}\n{head['time_ns']}\n"
                valid = head["log"] == log and signature_valid(bytes.fromhex(key), text.encode(), bytes.fromhex(head["signature"]))
            except (ValueError, KeyError, TypeError):
                valid = False
            if not valid:
                raise Altered(0, f"line {number} of heads.jsonl is not a head signed by this log's writer")
            self.add_head("signed", head)


def verify(arguments):
    log = Log(arguments.folder, arguments.writer, arguments.key)
    names = log.segments()
    if arguments.head:
        with open(arguments.head, encoding="utf-8") as file:
            heads = json.load(file)
        for head in heads if isinstance(heads, list) else [heads]:
            log.add_head("recorded", head)
    if int(names[0][:20]) == 0:
        log.read_signed_heads(*log.identity(names))
    log.compare_heads()
    log.walk(names)
    return log


def main():
    parser = argparse.ArgumentParser(description="Verify an Isobar audit folder.")
    parser.add_argument("folder")
    parser.add_argument("--head", metavar="FILE", help="head or heads that were kept elsewhere, as JSON")
    parser.add_argument("--writer", help="whose log it must be, such as gateway/edge")
    parser.add_argument("--key", help="the writer's public key, 64 hex digits")
    arguments = parser.parse_args()
    try:
        log = verify(arguments)
    except Altered as why:
        print(f"ALTERED at record {why.index}: {why}")
        return 1
    except (OSError, ValueError, KeyError) as why:
        print(f"cannot verify {arguments.folder}: {why}", file=sys.stderr)
        return 2
    complete = "complete" if log.gaps == 0 else f"{log.gaps} gaps, {log.lost} records lost and recorded as such"
    torn = ", last record being written" if log.torn else ""
    print(f"intact, {complete}: {log.tree.size} records of {log.writer}, {log.compared} heads agree{torn}")
    print(f"root {log.tree.root()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
