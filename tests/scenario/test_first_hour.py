#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/first-hour.md, as a stranger goes through it: every ```yaml block is written to the file that its first line names, every ```sh block
is run command by command, and a ```text block is what the last command before it prints: `<words>` stand for anything in a line, `...` alone for any lines,
and `# exit code N` behind a command for an exit code other than 0. Both accounts are pocket clouds that the operator's file leads to; `aws`, the
provider's own program, is played by a few lines that ask the account."""
import json
import os
import re
import subprocess

from accounts import HIDDEN, PROVIDERS, Account, write_private
from changes import S3
from scenario import ROOT, need, run_test, same

PAGE = os.path.join(ROOT, "docs/first-hour.md")
ACCOUNTS = {"aws-eu": ("aws", "eu-central-1"), "gcp-eu": ("gcp", "europe-west4")}
PLACE = "<CreateBucketConfiguration><LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
SHOWN = ("init", "check", "permissions", "validate", "plan", "apply", "data ls", "data cp", "data sync", "data verify", "run", "up", "status",
         "down", "why", "override", "overrides", "overrides end", "adopt", "backup", "restore", "destroy")
# The few commands of the provider's program that the page runs.
AWS = """#!/usr/bin/env python3
import re, sys
sys.path.insert(0, %r)
from changes import S3
s3, words = S3.__new__(S3), sys.argv[1:]
s3.host, s3.credentials = %r, %r
bucket = words[words.index("--bucket") + 1]
if words[1] == "create-bucket":
    s3.must("PUT", "/" + bucket, "", %r)
else:
    s3.set_tags(bucket, dict(re.findall("Key=(\\\\w+),Value=(\\\\w+)", words[-1])))
"""
SHELL = """cd "$(cat %(state)s/folder)" && . %(state)s/variables
%(command)s
ended=$?
pwd > %(state)s/folder && export -p > %(state)s/variables
exit $ended
"""


def blocks_of(page):
    """(line, language, text) of each fenced block."""
    with open(page, encoding="utf-8") as file:
        text = file.read()
    return [(text[:match.start()].count("\n") + 1, match.group(1), match.group(2))
            for match in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)]


def squeeze(text):
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip("\n").splitlines()]


def pattern_of(shown):
    lines = []
    for line in squeeze(shown):
        if line == "...":
            lines.append("(?:.*\n)*?")
        else:
            lines.append(re.sub("<[a-z ]+>", ".+?", re.escape(line).replace("\\ ", " ")) + "\n")
    return re.compile("".join(lines))


class Reader:
    """Who goes through the page: a home, a shell that remembers folder and variables, and two accounts."""

    def __init__(self, s):
        self.s, self.home, self.state = s, os.path.join(s.folder, "home"), os.path.join(s.folder, "shell")
        self.commands, self.accounts = [], {}
        for folder in (self.home, self.state, os.path.join(s.folder, "bin")):
            os.makedirs(folder)
        for cloud, place in ACCOUNTS.items():
            PROVIDERS[cloud] = place
            self.accounts[cloud] = Account(s, cloud)
        aws = self.accounts["aws-eu"]
        self.s3 = S3.__new__(S3)
        self.s3.host, self.s3.credentials = aws.url.split("//")[1], aws.credentials
        self.s3.must("PUT", "/lumen-raw", "", PLACE.encode())
        self.s3.put("lumen-raw", "returns/2026-01.csv", b"order_id,sku,returned\n1,SKU-1,true\n2,SKU-2,false\n")
        os.symlink(s.isobar, os.path.join(s.folder, "bin/isobar"))
        path = os.path.join(s.folder, "bin/aws")
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o755), encoding="utf-8") as file:
            file.write(AWS % (os.path.dirname(os.path.abspath(__file__)), self.s3.host, self.s3.credentials, PLACE.encode()))
        variables = {"HOME": self.home, "PATH": os.path.join(s.folder, "bin") + ":" + os.environ["PATH"], "NO_COLOR": "1",
                     "AWS_ACCESS_KEY_ID": aws.credentials["access_key_id"],
                     "AWS_SECRET_ACCESS_KEY": aws.credentials["secret_access_key"]}
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(HIDDEN + ("ISOBAR_",))}
        self.environment.update(variables)
        self.keep("folder", self.home + "\n")
        self.keep("variables", "")

    def keep(self, name, text):
        with open(os.path.join(self.state, name), "w", encoding="utf-8") as file:
            file.write(text)

    def write(self, text):
        """A block of YAML: `# FILE` is its first line. The operator's file gets the accounts' addresses and keys."""
        name = re.match(r"# (\S+\.yaml)\n", text).group(1)
        with open(os.path.join(self.state, "folder"), encoding="utf-8") as file:
            path = os.path.join(file.read().strip(), name)
        if name.startswith("~/"):
            path = self.home + name[1:]
            key = write_private(os.path.join(self.s.folder, "gcp.json"), json.dumps(self.accounts["gcp-eu"].credentials))
            text = text.replace("AKIAIOSFODNN7EXAMPLE", self.accounts["aws-eu"].credentials["access_key_id"])
            text = text.replace("/home/you/lumen-shop.json", key).replace('"*.amazonaws.com"', '"127.0.0.1:*"')
            for cloud, account in self.accounts.items():
                text = text.replace("  %s:\n" % cloud, "  %s:\n    endpoints: {store: \"%s\"}\n" % (cloud, account.url))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, line, command):
        wanted = re.search(r"# exit code (\d+)$", command)
        ended = subprocess.run(["bash", "-c", SHELL % {"state": self.state, "command": command}], env=self.environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        self.commands.append(command)
        need(ended.returncode == int(wanted.group(1) if wanted else 0), "docs/first-hour.md:%d: %s\nexit code %d:\n%s", line, command,
             ended.returncode, ended.stdout)
        return ended.stdout


def commands_in(text):
    return [one for one in re.sub(r"\\\n", "", text).splitlines() if one.strip()]


def test(s):
    reader, said = Reader(s), None
    for line, language, text in blocks_of(PAGE):
        if language == "yaml":
            reader.write(text)
        elif language == "sh":
            for command in commands_in(text):
                said = reader.run(line, command)
        else:
            same(language, "text", "docs/first-hour.md:%d: language of a block" % line)
            need(said is not None, "docs/first-hour.md:%d: what is shown belongs to no command", line)
            need(pattern_of(text).fullmatch("\n".join(squeeze(said)) + "\n"), "docs/first-hour.md:%d: %s printed\n%s\ninstead of\n%s", line,
                 reader.commands[-1], said, text)
            said = None
    told = "\n".join(reader.commands)
    missing = [name for name in SHOWN if not re.search(r"isobar %s\b" % name, told)]
    same(missing, [], "commands that the page does not run")
    same(reader.s3.ask("GET", "/lumen-shop-lake")[0], 404, "what is left of a bucket that was destroyed")
    for account in reader.accounts.values():
        account.process.terminate()
        same(account.process.wait(timeout=20), 0, "end of the account of " + account.cloud)


run_test(test)
