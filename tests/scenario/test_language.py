#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/workspace.md: each section's files make a workspace, and its commands print what the page says. And every file
of the examples is formatted."""
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ISOBAR = os.path.join(os.path.abspath(sys.argv[1]), "isobar")


def run(arguments, folder):
    keep = {name: value for name, value in os.environ.items() if not name.startswith("ISOBAR_")}
    done = subprocess.run([ISOBAR] + arguments, cwd=folder, capture_output=True, text=True, env=keep, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr + done.stdout


def sections():
    with open(os.path.join(ROOT, "docs", "workspace.md"), encoding="utf-8") as handle:
        page = handle.read()
    page = page[page.index("## How to"):page.index("## The demo")]
    for section in re.split(r"^### ", page, flags=re.M)[1:]:
        title = section.split("\n", 1)[0]
        yield title, re.findall(r"^```(yaml|json|console)\n(.*?)^```", section, flags=re.M | re.S)


def write(folder, kind, text):
    name, rest = text.split("\n", 1)
    path = os.path.join(folder, name[2:])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as handle:
        handle.write(text if kind == "yaml" else rest)


def check_console(title, folder, text):
    count = 0
    for piece in re.split(r"^\$ ", text, flags=re.M)[1:]:
        command, expected = piece.split("\n", 1)
        words = shlex.split(command)
        assert words[0] == "isobar", command
        _, printed = run(words[1:], folder)
        assert printed == expected, "%s: %s prints\n%s, the page says\n%s" % (title, command, printed, expected)
        count += 1
    return count


def main():
    workspaces = commands = 0
    for title, blocks in sections():
        if not blocks:
            continue
        with tempfile.TemporaryDirectory(prefix="isobar-language-") as folder:
            for kind, text in blocks:
                if kind == "console":
                    commands += check_console(title, folder, text)
                else:
                    write(folder, kind, text)
            workspaces += 1
    assert workspaces >= 11 and commands >= 18, (workspaces, commands)
    for folder in ("examples/fashion", "examples/pytorch", "examples/returns"):
        code, printed = run(["fmt", "--check", folder], ROOT)
        assert code == 0, "not formatted: run isobar fmt\n" + printed
    print("%d workspaces of the manual, %d commands" % (workspaces, commands))


main()
