#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every row of every table is explained: `isobar explain KIND.FIELD` says what it means, what to write, its default and who may change it,
and the JSON Schema and the manual know the same rows."""
import json
import re

from scenario import need, run_test, same

ROW = re.compile(r"^\| `([^`]+)` \| (.*) \|$")
SINGLE = ("tracking", "metrics", "audit")


def rows_of_manual(text):
    """(kind, path, its cells) in the order of the manual."""
    kind = None
    for line in text.splitlines():
        if line.startswith("## "):
            kind = line[3:]
        match = ROW.match(line)
        if match and kind != "Fields of every resource":
            yield kind, match.group(1), re.split(r"(?<!\\) \| ", match.group(2))


def schema_at(schema, kind, path):
    """The schema of a row; None where a form of its own hides it."""
    node = schema["properties"][kind]
    if kind not in SINGLE:
        node = node["additionalProperties"]
    for part in path.split("."):
        name = part[:-2] if part.endswith("[]") else part
        if name == "NAME":
            node = node["additionalProperties"]
            continue
        node = node["properties"].get(name)
        if node is None:
            return None
        if part.endswith("[]"):
            node = node["items"]
    return node


def check_row(s, schema, row):
    kind, path, (write, default, change, help_text) = row
    plain = path.replace("[]", "")
    told = s.run("explain", "%s.%s" % (kind, plain)).out
    need(help_text.replace("\\|", "|") in told, "%s.%s: its help is not told: %s", kind, plain, told)
    for headline in ["  write:        ", "  default:      ", "  change:       ", "  at run time:  "]:
        need(headline in told, "%s.%s: no \"%s\"", kind, plain, headline.strip())
    need(write.replace("\\|", "|") in told, "%s.%s: what to write is not told: %s", kind, plain, told)
    same("later release" in change, "this release: " in told, "%s.%s: what acts on it" % (kind, plain))
    same(default == "required", "none: it is required" in told, "%s.%s: whether it is required" % (kind, plain))
    part = schema_at(schema, kind, path)
    need(part is not None, "%s.%s: not in the JSON Schema", kind, plain)
    same(part["description"], help_text.replace("\\|", "|"), "%s.%s in the JSON Schema" % (kind, plain))


def test(s):
    schema = json.loads(s.run("schema").out)
    rows = list(rows_of_manual(s.run("explain", "--reference").out))
    need(len(rows) > 250, "only %d rows", len(rows))
    kinds = [line.split()[0] for line in s.run("explain").out.splitlines()]
    need(len(kinds) >= 22, "only %d kinds", len(kinds))
    same(sorted({kind for kind, _, _ in rows}), sorted(kinds), "kinds of the manual")
    for kind in kinds:
        told = s.run("explain", kind).out
        same("As every resource it also takes: labels, protect, existing, drift, owner" in told, kind != "environments",
             "common fields of " + kind)
    for row in rows:
        check_row(s, schema, row)


run_test(test)
