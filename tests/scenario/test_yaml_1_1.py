#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every example reads the same by a YAML 1.1 parser as by ours: no value means something else to another tool."""
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

try:
    import yaml
except ImportError:
    print("python3-yaml is not installed")
    sys.exit(77)


def examples():
    yield from sorted(glob.glob(os.path.join(ROOT, "examples", "*", "isobar.yaml")))
    yield os.path.join(ROOT, "tests", "scenario", "small", "isobar.yaml")


def read_by_1_1(path):
    """One file, or the *.yaml files beside isobar.yaml as one map, as the folder is one workspace."""
    folder = os.path.dirname(path)
    whole = {}
    for one in sorted(glob.glob(os.path.join(folder, "*.yaml"))):
        with open(one, encoding="utf-8") as handle:
            for key, value in yaml.safe_load(handle).items():
                if isinstance(whole.get(key), dict):
                    whole[key].update(value)
                else:
                    whole[key] = value
    return whole


def files():
    """Every YAML file of the examples, overlays and modules too, and every example of the manual that is a file."""
    for root, folders, names in os.walk(os.path.join(ROOT, "examples")):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith((".yaml", ".yml")):
                path = os.path.join(root, name)
                with open(path, encoding="utf-8") as handle:
                    yield os.path.relpath(path, ROOT), handle.read()
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")) + [os.path.join(ROOT, "README.md")]):
        with open(path, encoding="utf-8") as handle:
            blocks = re.findall(r"^```yaml\n(.*?)^```", handle.read(), flags=re.M | re.S)
        for number, text in enumerate(blocks, 1):
            yield "%s, example %d" % (os.path.relpath(path, ROOT), number), text


def check_files(tool):
    count = 0
    with tempfile.TemporaryDirectory(prefix="isobar-yaml-") as folder:
        path = os.path.join(folder, "one.yaml")
        for name, text in files():
            with open(path, "w", encoding="utf-8") as handle:
                handle.write(text)
            done = subprocess.run([tool, path], capture_output=True, text=True)
            assert done.returncode == 0, "%s: %s" % (name, done.stderr)
            ours, theirs = json.loads(done.stdout), yaml.safe_load(text)
            assert ours == theirs, "%s is read differently:\n%s\n%s" % (name, json.dumps(ours), json.dumps(theirs, default=str))
            count += 1
    return count


def main():
    isobar = os.path.join(sys.argv[1], "isobar")
    count = 0
    for path in examples():
        done = subprocess.run([isobar, "validate", "-o", "json", os.path.dirname(path)], capture_output=True, text=True)
        assert done.returncode == 0, "%s: %s" % (path, done.stderr)
        ours = json.loads(done.stdout)["document"]
        theirs = read_by_1_1(path)
        assert ours == theirs, "%s is read differently:\n%s\n%s" % (path, json.dumps(ours), json.dumps(theirs, default=str))
        count += 1
    assert count >= 4
    alone = check_files(os.path.join(sys.argv[1], "tests", "tool-yaml"))
    assert alone >= 20
    print("%d workspaces and %d files read alike" % (count, alone))


main()
