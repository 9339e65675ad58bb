#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three hundred broken workspaces, made from the two examples by mutations that know where the fault is and what mends it: each is found at
that very line and column, in the field's name, with the words that name the fix; none crashes, and none is taken for valid.

The manual of the program's own tables (`isobar explain --reference`) says what each field expects, so every field of the examples is
broken in the ways that its type can be. ISOBAR_SEED chooses another sample; the seed is printed."""
import json
import os
import random
import re
import shutil
import sys

from scenario import ROOT, Skipped, need, run_test

try:
    import yaml
except ImportError:
    yaml = None

COUNT = 300
ROW = re.compile(r"^\| `([^`]+)` \| (.*) \|$")
SINGLE = ("tracking", "metrics", "audit")
EXAMPLES = {"fashion": ["isobar.yaml"],
            "returns": ["isobar.yaml", "clouds.yaml", "data.yaml", "models.yaml", "serving.yaml", "governance.yaml"]}


def cell(text):
    return text.replace("\\|", "|")


def read_manual(text):
    """{(kind, path): what to write}, as the manual says it; and which are required."""
    rows, required, kind = {}, set(), None
    for line in text.splitlines():
        if line.startswith("## "):
            kind = line[3:]
        match = ROW.match(line)
        if not match:
            continue
        cells = re.split(r"(?<!\\) \| ", match.group(2))
        rows[kind, match.group(1)] = cell(cells[0])
        if cells[1] == "required":
            required.add((kind, match.group(1)))
    return rows, required


# ------------------------------------------------------------------ places in the examples


class Site:
    """A member of a map or an item of a list: where its key and its value stand in the text."""

    def __init__(self, file, path, key, value, parent):
        self.file, self.path, self.key, self.value, self.parent = file, path, key, value, parent

    @property
    def field(self):
        text = ""
        for part in self.path:
            text += "[%d]" % part if isinstance(part, int) else ("." if text else "") + part
        return text

    def row(self, rows):
        """What the manual says about it: names of things become NAME where the manual has them."""
        kind = self.path[0]
        rest = list(self.path[1:] if kind in SINGLE else self.path[2:])
        at = ""
        while rest:
            part = rest.pop(0)
            if isinstance(part, int):
                if rest:
                    at += "[]"
                continue
            inner = (at + "." if at else "") + part
            if not any(name == inner or name.startswith((inner + ".", inner + "[]")) for k, name in rows if k == kind):
                inner = at + ".NAME"
            at = inner
        return rows.get((kind, at)), at


def walk(file, node, path=(), parent=None):
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = path + (str(key.value),)
            yield Site(file, here, key, value, node)
            yield from walk(file, value, here, node)
    if isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield Site(file, path + (i,), None, value, node)
            yield from walk(file, value, path + (i,), node)


def is_block(node):
    return isinstance(node, (yaml.MappingNode, yaml.SequenceNode)) and not node.flow_style


class Text:
    """The files of an example, and what stands where in them."""

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(ROOT, "examples", name)
        self.files = {}
        for file in EXAMPLES[name] + (["env/dev.yaml", "env/prod.yaml"] if name == "returns" else []):
            with open(os.path.join(self.folder, file), encoding="utf-8") as handle:
                self.files[file] = handle.read()
        self.sites = [site for file in EXAMPLES[name] for site in walk(file, yaml.compose(self.files[file]))]


class Broken:
    """One broken workspace: files that differ, and what must be said: (file, line, column, field, words of problem and suggestion)."""

    def __init__(self, sort, text, files, file, mark, field, words):
        self.sort, self.text, self.files, self.file, self.field, self.words = sort, text, files, file, field, words
        self.line, self.column = mark

    def __str__(self):
        return "%s: %s at %s:%s:%s %s" % (self.text.name, self.sort, self.file, self.line, self.column, self.field)


def mark_of(node):
    return node.start_mark.line + 1, node.start_mark.column + 1


def replaced(text, site_file, node, new):
    whole = text.files[site_file]
    return {**text.files, site_file: whole[:node.start_mark.index] + new + whole[node.end_mark.index:]}


def swapped(rng, word):
    """Two neighbours in the wrong order, as fingers do it."""
    places = [i for i in range(len(word) - 1) if word[i] != word[i + 1] and word[i].isalpha() and word[i + 1].isalpha()]
    if not places or len(word) < 4:
        return None
    i = rng.choice(places)
    return word[:i] + word[i + 1] + word[i] + word[i + 2:]


# ------------------------------------------------------------------ mutations by the type of a field

# What a field expects begins so: what is written instead, and what the message says it got.
WRONG = [
    ("a duration", ["soon", "5 fortnights", "1.5h"]), ("a size", ["512", "64gb", "-1GiB"]), ("a percentage", ["5", "half", "-5%"]),
    ("an amount", ["40", "40 euros", "EUR 40"]), ("a whole number", ["many", "1.5", "1e3"]), ("a number", ["many", "1/2"]),
    ("true or false", ["yes", "1", "on"]), ("an absolute http", ["ftp://x.example/", "lumen.example", "/v2"]),
    ("a date", ["tomorrow", "2027-02-30"]), ("a rate", ["often", "200k"]), ("an accelerator", ["H100:none", "H100:0"]),
    ("a path inside", ["/etc/passwd", "../other.sql"]), ("a name (", ["-first", "two words", "a/b"]),
]


def wrong_values(text, site, write):
    for start, values in WRONG:
        if write.startswith(start):
            for value in values:
                yield Broken("bad value", text, replaced(text, site.file, site.value, value), site.file, mark_of(site.value), site.field,
                             ["expected " + write, "got \"%s\"" % value])


def wrong_bounds(text, site, write):
    match = re.search(r"whole number from (-?\d+) to (\d+)$", write)
    for value in (int(match.group(1)) - 1, int(match.group(2)) + 1) if match else ():
        yield Broken("out of bounds", text, replaced(text, site.file, site.value, str(value)), site.file, mark_of(site.value), site.field,
                     ["expected " + write, "got \"%d\"" % value])


def wrong_choice(rng, text, site, write):
    old = str(site.value.value)
    new = swapped(rng, old) if write.startswith("one of ") else None
    if new:
        yield Broken("misspelt choice", text, replaced(text, site.file, site.value, new), site.file, mark_of(site.value), site.field,
                     ["expected " + write, "did you mean \"%s\"?" % old])


def wrong_secret(text, site, write):
    if write.startswith("the name of a secret"):
        yield Broken("a secret itself", text, replaced(text, site.file, site.value, "hunter2"), site.file, mark_of(site.value), site.field,
                     ["expected the name of a secret (secret/NAME), got something else"])


def wrong_shape(text, site, write):
    if write.endswith(", or several") or write.startswith(("a value of its own form", "anything", "a map", "a list of clouds", "a map of names to texts")):
        return
    if isinstance(site.value, yaml.ScalarNode):
        got = "got something else" if write.startswith("the name of a secret") else "got a map"
        yield Broken("a map in its place", text, replaced(text, site.file, site.value, "{a: b}"), site.file, mark_of(site.value),
                     site.field, [got])
    elif write.startswith("a list") and site.value.flow_style:
        yield Broken("no list", text, replaced(text, site.file, site.value, "5"), site.file, mark_of(site.value), site.field,
                     ["expected a list", "got \"5\""])


def dangling(rng, text, site, write, names):
    """A reference to what is not there, but nearly."""
    if not write.startswith("the name of a") or not isinstance(site.value, yaml.ScalarNode):
        return
    old = str(site.value.value)
    match = re.match(r"^(?:([a-z-]+)/)?([A-Za-z0-9._-]+)(.*)$", old)
    if not match or match.group(2) not in names:
        return
    new = swapped(rng, match.group(2))
    if new and new not in names:
        whole = (match.group(1) + "/" if match.group(1) else "") + new + match.group(3)
        field = None if site.path[-1] == "cloud" else site.field  # which is told as the list that it stands for
        yield Broken("dangling reference", text, replaced(text, site.file, site.value, json.dumps(whole)), site.file, mark_of(site.value),
                     field, ["there is no ", "\"%s\"" % new])


# ------------------------------------------------------------------ mutations of structure


def misspelt_field(rng, text, site, rows):
    write, at = site.row(rows)
    if write is None or site.key is None or not isinstance(site.path[-1], str) or at.endswith("NAME"):
        return
    new = swapped(rng, site.path[-1])
    if new:
        field = site.field[:len(site.field) - len(site.path[-1])] + new
        yield Broken("misspelt field", text, replaced(text, site.file, site.key, new), site.file, mark_of(site.key), field,
                     ["has no field \"%s\"" % new, "did you mean \"%s\"?" % site.path[-1]])


def misspelt_kind(rng, text, site, kinds):
    if len(site.path) == 1 and site.path[0] in kinds:
        new = swapped(rng, site.path[0])
        if new:
            yield Broken("misspelt kind", text, replaced(text, site.file, site.key, new), site.file, mark_of(site.key), new,
                         ["is no kind that a workspace may declare", "did you mean \"%s\"?" % site.path[0]])
        singular = site.path[0][:-1]
        if site.path[0] in ("buckets", "datasets", "models", "endpoints", "routes", "roles", "monitors"):
            yield Broken("singular", text, replaced(text, site.file, site.key, singular), site.file, mark_of(site.key), singular,
                         ["is no kind that a workspace may declare", "did you mean \"%s\"?" % site.path[0]])


def bad_names(text, site, kinds):
    if len(site.path) == 2 and site.path[0] in kinds and site.path[0] not in SINGLE + ("environments",) and site.key:
        for name in ["-x", "n" * 64, "\"two words\""]:
            yield Broken("bad name", text, replaced(text, site.file, site.key, name), site.file, mark_of(site.key), None,
                         ["\"%s\" is no name" % name.strip("\"")])


def duplicates(text, site, kinds):
    """The same name again, right below the kind's key."""
    kind = site.path[0]
    if len(site.path) != 2 or kind not in kinds or kind in SINGLE or not is_block(site.parent):
        return
    whole, at = text.files[site.file], site.parent.value[0][0].start_mark
    added = "%s: {}\n%s" % (site.path[1], " " * at.column)
    files = {**text.files, site.file: whole[:at.index] + added + whole[at.index:]}
    line, column = mark_of(site.key)
    yield Broken("duplicate name", text, files, site.file, (line + 1, column), None, ["\"%s\"" % site.path[1], "twice", ":%d:%d" % (at.line + 1,
                                                                                                              at.column + 1)])


def missing(text, site, rows, required):
    write, at = site.row(rows)
    node = site.parent
    if write is None or site.key is None or (site.path[0], at) not in required or not node.flow_style or len(node.value) < 2:
        return
    index = [key for key, _ in node.value].index(site.key)
    whole = text.files[site.file]
    start, end = site.key.start_mark.index, site.value.end_mark.index
    if index + 1 < len(node.value):
        end = node.value[index + 1][0].start_mark.index
    else:
        start = node.value[index - 1][1].end_mark.index
    files = {**text.files, site.file: whole[:start] + whole[end:]}
    parent = Site(site.file, site.path[:-1], None, None, None).field
    yield Broken("missing field", text, files, site.file, mark_of(node), parent, ["\"%s\" is missing; expected %s" % (site.path[-1], write)])


def interpolations(text, site, rows):
    write, _ = site.row(rows)
    scalar = isinstance(site.value, yaml.ScalarNode) and not isinstance(site.path[-1], int)
    if write is None or not scalar or site.path[0] == "environments":  # these say which values there are
        return
    for value, words in [("\"${var.nowhere}\"", ["nowhere"]), ("\"${inputs.nowhere.x}\"", ["nowhere"]), ("\"${vra.gpu}\"", ["vra"]),
                         ("\"${var.gpu\"", ["${"])]:
        yield Broken("bad interpolation", text, replaced(text, site.file, site.value, value), site.file, mark_of(site.value), site.field,
                     words)


def unreadable(text, site):
    """What is YAML and not in the language, or no YAML at all."""
    if isinstance(site.value, yaml.ScalarNode) and site.key is not None and not site.value.style:
        for value, words in [("&anchor x", ["anchors"]), ("*anchor", ["aliases"]), ("!!str x", ["tags"])]:
            yield Broken("YAML that is refused", text, replaced(text, site.file, site.value, value), site.file, mark_of(site.value), None,
                         words)


def broken_syntax(text, site):
    if site.key is None:
        return
    whole, at = text.files[site.file], site.key.start_mark.index
    line, column = mark_of(site.key)
    start = at - column + 1
    if column > 1 and not whole[start:at].strip():  # the first of its line
        files = {**text.files, site.file: whole[:start] + "\t" + whole[at:]}
        yield Broken("a tab", text, files, site.file, (line, None), None, ["not YAML", "tab"])
    if column == 1 and site.key is not site.parent.value[0][0]:
        files = {**text.files, site.file: whole[:at] + "---\n" + whole[at:]}
        yield Broken("a second document", text, files, site.file, (line, 1), None, ["a second document (---) begins"])
    if isinstance(site.value, yaml.MappingNode) and site.value.flow_style and is_block(site.parent):
        end = site.value.end_mark.index
        files = {**text.files, site.file: whole[:end - 1] + whole[end:]}
        yield Broken("a brace that is missing", text, files, site.file, (None, None), None, ["not YAML"])


def by_hand(fashion, returns):
    """Faults that are more than a field: rings, contradictions, overlays of nothing, places that are forbidden."""
    def edit(text, sort, file, old, new, at, field, *words):
        whole = text.files[file]
        need(whole.count(old) == 1, "%s stands %d times in %s", old, whole.count(old), file)
        start = whole.index(old) + at
        line = whole.count("\n", 0, start) + 1
        column = start - (whole.rfind("\n", 0, start) + 1) + 1
        return Broken(sort, text, {**text.files, file: whole.replace(old, new)}, file, (line, column), field, words)

    base = "isobar.yaml"
    yield edit(fashion, "version", base, "isobar: 1  ", "isobar: 2  ", 8, "isobar", "expected a whole number from 1 to 1, got \"2\"")
    yield edit(fashion, "region of another", base, "gcp, region: europe-west4", "aws, region: europe-west4", 13, "clouds.gcp-eu.region",
               "expected a region of aws", "write provider: gcp")
    yield edit(fashion, "misspelt region", base, "us-east-1", "us-eats-1", 0, "clouds.aws-us.region", "did you mean \"us-east-1\"?")
    yield edit(fashion, "cloud that is not there", base, "lake: {clouds: all, rotate: 90d}", "lake: {clouds: [aws-su]}", 16, None,
               "there is no cloud \"aws-su\"", "did you mean \"aws-us\"?")
    yield edit(fashion, "quorum", base, "quorum: 2 of 3 ", "quorum: 4 of 3 ", 8, "trainings.classifier.federated.quorum", "can never be reached")
    yield edit(fashion, "need", base, "accuracy >= 0.87 on", "accuracy = 0.87 on", 0, "models.classifier.aliases.champion.needs[0]",
               ">=, >, <= or < must follow \"accuracy\"")
    yield edit(fashion, "alias", base, "model: classifier@champion ", "model: classifier@champoin ", 7, "endpoints.classify.model",
               "declares no alias \"champoin\"", "did you mean \"champion\"?")
    yield edit(fashion, "no alias", base, "model: classifier@champion ", "model: classifier          ", 7, "endpoints.classify.model",
               "expected a model and one of its aliases", "write classifier@ALIAS")
    personal = {**fashion.files, base: fashion.files[base].replace("class: public  ", "class: personal")}
    line = fashion.files[base].split("\n").index("    residency: anywhere") + 1
    yield Broken("anywhere", fashion, personal, base, (line, 16), "datasets.images.residency",
                 ["only a dataset of class public may lie anywhere", "[EU]"])
    yield edit(fashion, "way", base, "{any: [api-key]}", "{any: [password]}", 7, "routes.classify.require.any[0]", "expected api-key")
    yield edit(fashion, "min above max", base, "{min: 1, max: 2}", "{min: 3, max: 2}", 0, "endpoints.classify.scale",
               "expected min to be at most max", "write max: 3 or more")
    yield edit(fashion, "path of a route", base, "{path: /v2/models/classify/**}", "{path: v2/models}", 7, "routes.classify.match.path",
               "write /v2/models/NAME/**")
    yield edit(fashion, "no TLS", base, "listen: 127.0.0.1:8443, tls: automatic", "listen: 0.0.0.0:8443, tls: none", 27, "gateways.edge.tls",
               "say \"tls: automatic\"")
    yield edit(fashion, "file outside", base, "file:///usr/share/datasets/fashion-mnist", "file:///etc", 0, "datasets.images.source",
               "must be inside the workspace's folder")
    yield edit(fashion, "setting", base, "learning_rate: 0.1", "learning_rat: 0.1", 0, None, "did you mean \"learning_rate\"?")
    yield edit(fashion, "fix", base, "then: [shift traffic]", "then: [shift trafic]", 6, "monitors.cloud-lost.then", "no fix is called \"shift trafic\"",
               "write \"shift traffic\"")
    yield edit(fashion, "pattern", base, "actions: [model.predict]", "actions: [\"mo*del\"]", 10, "roles.shop-app.allow[0].actions[0]",
               "one that ends in '*'")
    yield edit(returns, "overlay of nothing", "env/dev.yaml", "  fraud: {clouds", "  farud: {clouds", 2, "endpoints.farud", "which the base",
               "did you mean \"fraud\"?")
    yield edit(returns, "overlay of an unknown field", "env/prod.yaml", "{scale: {min: 1}}", "{sclae: {min: 1}}", 1, "endpoints.helper.sclae",
               "did you mean \"scale\"?")
    yield edit(returns, "overlay's value", "env/prod.yaml", "{scale: {min: 1}}", "{scale: {min: x}}", 14, "endpoints.helper.scale.min",
               "expected a whole number")
    yield edit(returns, "variable's value", "env/prod.yaml", "replicas: 3,", "replicas: 99,", 10, None, "20")
    yield edit(returns, "variable of nothing", "env/prod.yaml", "replicas: 3,", "replcias: 3,", 0, "variables", "there is no variable \"replcias\"",
               "did you mean \"replicas\"?")
    yield edit(returns, "account", "clouds.yaml", "\"123456789012\"      #", "\"12345678\"          #", 0, "clouds.aws-eu.account", "12 digits")
    yield edit(returns, "of another provider", "clouds.yaml", "project: \"lumen-ml-${env}\"", "account: \"123456789012\"", 9, "clouds.gcp-eu.account",
               "only a cloud of provider aws", "leave it out")
    yield edit(returns, "law", "clouds.yaml", "law: EU}", "law: Europe}", 5, "clouds.munich.operator.law", "write it as EU")
    yield edit(returns, "price", "clouds.yaml", "H100: 1.90 EUR/h", "H100: 1.90 EUR", 6, "clouds.munich.prices.H100", "write it as 1.90 EUR/h")
    yield edit(returns, "column", "data.yaml", "subject: customer_id", "subject: custmer_id ", 9, "datasets.returns.subject",
               "the schema has no column \"custmer_id\"")
    yield edit(returns, "type of a column", "data.yaml", "returned: boolean", "returned: bolean", 10, "datasets.returns.schema.returned",
               "did you mean \"boolean\"?")
    yield edit(returns, "check", "data.yaml", "unique(order_id)", "uniqe(order_id)", 0, "datasets.returns.checks[0]", "expected unique(COLUMN")
    yield edit(returns, "shares", "data.yaml", "{train: 80%, test: 20%", "{train: 80%, test: 30%", 0, "transforms.features.split",
               "let them add up to 100%")
    yield edit(returns, "transfer that ran out", "data.yaml", "\"2027-06-30\"", "\"2020-06-30\"", 0, "transfers.us-support.until", "2020-06-30")
    yield edit(returns, "code of a country", "data.yaml", "to: US\n", "to: UK\n", 4, "transfers.us-support.to", "did you mean \"GB\"?")
    yield edit(returns, "file that is not there", "data.yaml", "sql/features.sql", "sql/feature.sql", 0, "transforms.features.sql",
               "there is no \"sql/feature.sql\"")
    yield edit(returns, "both", "data.yaml", "{cloud: aws-eu, name", "{cloud: aws-eu, clouds: all, name", 16, "buckets.raw.clouds",
               "write either cloud: or clouds:")
    yield edit(returns, "source", "models.yaml", "\"hf://org/model-8b-instruct@0123456789abcdef0123456789abcdef01234567\"",
               "\"hf://org/model-8b-instruct@main\"", 0, "models.helper.source", "write hf://ORG/NAME@COMMIT")
    yield edit(returns, "parity", "models.yaml", "demographic parity by age_band within 0.05", "demographic parity by age_band within lots", 0,
               "models.fraud.aliases.champion.needs[1]", "a number from 0 to 1 must follow \"within\"")
    yield edit(returns, "order", "serving.yaml", "{in_order: [", "{in_odrer: [", 1, "routes.chat.to.in_odrer", "write \"in_order\"")
    yield edit(returns, "canary", "serving.yaml", "[5%, 25%, 100%]", "[50%, 25%, 100%]", 0, "endpoints.fraud.rollout.canary", "write [5%, 25%, 100%]")
    yield edit(returns, "target", "serving.yaml", "60% cpu", "60 cpu ", 0, "endpoints.fraud.scale.target", "write it as 60% cpu")
    yield edit(returns, "environment of a rule", "governance.yaml", "environment: prod", "environment: prdo", 13,
               "roles.ml.deny[0].when.environment", "did you mean \"prod\"?")
    yield edit(returns, "keep", "governance.yaml", "{at_least: 190d, at_most: 2y}", "{at_least: 190d, at_most: 1d}", 26, "audit.keep.at_most",
               "raise at_most, or lower at_least")
    yield edit(returns, "two ways", "governance.yaml", "{email: dpo@lumen.example}", "{email: dpo@lumen.example, webhook: \"https://x.example/\"}", 0,
               "channels.dpo", "exactly one of webhook, email and pagerduty")
    ring = {**fashion.files, "ring.yaml": "transforms:\n  one: {input: two, command: [x]}\n  two: {input: one, command: [x]}\n"}
    yield Broken("ring", fashion, ring, "ring.yaml", (2, 3), "transforms.one", ["these need each other in a ring", "transform/one, transform/two"])
    again = {**returns.files, "more.yaml": "buckets:\n  lake: {cloud: aws-eu}\n"}
    lake = returns.files["data.yaml"].split("\n").index("  lake: {clouds: all, name: \"lumen-returns-${env}\", protect: true}") + 1
    yield Broken("declared in two files", returns, again, "more.yaml", (2, 3), "buckets.lake",
                 ["is declared twice; first at data.yaml:%d:3" % lake])
    huge = {**fashion.files, "huge.yaml": "buckets:\n  more: {clouds: all, name: %s}\n" % ("x" * 1000000)}
    yield Broken("a megabyte of a name", fashion, huge, "huge.yaml", (2, 29), "buckets.more.name", ["expected a name", "xxx..."])
    deep = {**fashion.files, "deep.yaml": "buckets: " + "[" * 100 + "]" * 100 + "\n"}
    yield Broken("a hundred lists in lists", fashion, deep, "deep.yaml", (1, None), None, ["deep"])


# ------------------------------------------------------------------ all, a sample, and the judgement


def mutate(rng, text, rows, required):
    kinds = {kind for kind, _ in rows}
    names = {site.path[1] for site in text.sites if len(site.path) == 2 and isinstance(site.path[1], str)}
    for site in text.sites:
        yield from broken_syntax(text, site)
        yield from misspelt_kind(rng, text, site, kinds)
        if site.path[0] not in kinds:
            continue
        yield from bad_names(text, site, kinds)
        yield from duplicates(text, site, kinds)
        yield from unreadable(text, site)
        write, _ = site.row(rows)
        if write is None or len(site.path) < (2 if site.path[0] in SINGLE else 3):
            continue
        yield from misspelt_field(rng, text, site, rows)
        yield from missing(text, site, rows, required)
        if isinstance(site.path[-1], int):
            continue
        yield from interpolations(text, site, rows)
        yield from wrong_shape(text, site, write)
        if isinstance(site.value, yaml.ScalarNode):
            yield from wrong_values(text, site, write)
            yield from wrong_bounds(text, site, write)
            yield from wrong_choice(rng, text, site, write)
            yield from wrong_secret(text, site, write)
            yield from dangling(rng, text, site, write, names)


def sample(rng, text_mutations, wanted):
    """As many of each sort as there are of the rarest, then anything, so that no sort crowds out the others."""
    sorts = {}
    for one in text_mutations:
        sorts.setdefault(one.sort, []).append(one)
    for ones in sorts.values():
        rng.shuffle(ones)
    chosen = []
    while len(chosen) < wanted and any(sorts.values()):
        for ones in sorts.values():
            if ones and len(chosen) < wanted:
                chosen.append(ones.pop())
    return chosen


def write_files(folder, broken):
    for file in os.listdir(folder):
        if file.endswith(".yaml"):
            os.unlink(os.path.join(folder, file))
    for file, text in broken.files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, file)), exist_ok=True)
        with open(os.path.join(folder, file), "w", encoding="utf-8") as handle:
            handle.write(text)


def fits(broken, finding):
    said = finding["problem"] + " (" + finding["suggestion"] + ")"
    place = finding["file"].endswith(broken.file) and broken.line in (None, finding["line"]) and broken.column in (None, finding["column"])
    return place and broken.field in (None, finding["field"]) and all(word in said for word in broken.words)


def judge(s, folder, broken):
    write_files(folder, broken)
    ended = s.run("validate", "-o", "json", folder=folder, expect=None, seconds=20)
    if ended.code != 2:
        return "%s: expected the exit code 2, but %s" % (broken, ended)
    findings = json.loads(ended.out)["findings"]
    if "hunter2" in ended.out + ended.err:
        return "%s: a secret is repeated" % broken
    if len(ended.out) > 200000:
        return "%s: %d bytes of answer" % (broken, len(ended.out))
    if broken.words[0] == "not YAML" and len(findings) > 1:
        return "%s: %d findings, of which all but one only follow from it" % (broken, len(findings))
    if any(fits(broken, finding) for finding in findings):
        return None
    return "%s: expected %s, but found\n%s" % (broken, broken.words, "\n".join(
        "    %(file)s:%(line)d:%(column)d: %(field)s: %(problem)s (%(suggestion)s)" % finding for finding in findings[:6]))


def test(s):
    if not yaml:
        raise Skipped("python3-yaml is not installed")
    seed = int(os.environ.get("ISOBAR_SEED", "20"))
    rng = random.Random(seed)
    rows, required = read_manual(s.run("explain", "--reference").out)
    texts = {name: Text(name) for name in EXAMPLES}
    folders = {}
    for name, text in texts.items():
        folders[name] = os.path.join(s.folder, name)
        shutil.copytree(text.folder, folders[name], ignore=shutil.ignore_patterns(".isobar"))
    whole = list(by_hand(texts["fashion"], texts["returns"]))
    every = [one for text in texts.values() for one in mutate(rng, text, rows, required)]
    whole += every if os.environ.get("ISOBAR_EVERY") else sample(rng, every, COUNT - len(whole))
    need(len(whole) >= COUNT, "only %d broken workspaces", len(whole))
    failed = [said for said in (judge(s, folders[one.text.name], one) for one in whole) if said]
    print("seed %d: %d broken workspaces of %d possible, %d sorts" % (seed, len(whole), len(every), len({one.sort for one in whole})))
    need(not failed, "%d are told wrongly; the first:\n%s", len(failed), "\n".join(failed[:400] if os.environ.get("ISOBAR_EVERY") else failed[:8]))


if __name__ == "__main__":
    sys.setrecursionlimit(10000)
    run_test(test)
