#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every example reads the same by a YAML 1.1 parser as by ours: no value means something else to another tool."""
import glob
import json
import os
import subprocess
import sys

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
    assert count >= 2
    print("%d files read alike" % count)


main()
