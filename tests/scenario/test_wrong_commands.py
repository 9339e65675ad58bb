#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command as somebody types it who is wrong: no workspace, a name that is none, a file that cannot be read, an option that there is not. Each
says in few lines what, where and what to do next, ends with its exit code, and makes nothing. A command that the table lacks fails the test."""
import os
import re
import shlex
import shutil

from scenario import ROOT, need, run_test, same

FAILED, INVALID, ABSENT, DENIED, CONFLICT, LIMIT, UNAVAILABLE, UNSUPPORTED, CORRUPT, IO = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
NONE = "has no isobar.yaml: `isobar init` writes a first one"
# In a folder that has no workspace.
NOWHERE = ("validate", "plan", "apply", "destroy", "approve abc", "adopt bucket/x y", "addresses", "guards", "permissions aws", "check",
           "run model/x", "deploy", "rollback model/x@y", "status", "down", "models", "endpoints", "alerts",
           "override endpoint/x traffic 0% --reason r", "overrides", "overrides end endpoint/x", "events", "cost", "audit verify", "report",
           "backup f --without-keys", "why x", "up")
# With the demo's workspace, of which nothing is applied.
WRONG = (
    ("validate /nope", ABSENT, "cannot open the workspace /nope"),
    ("plan --nope", INVALID, "unknown option --nope; see isobar plan --help"),
    ("plan --env nope", INVALID, 'no environment "nope"; there are: pocket'),
    ("plan --env pokcet", INVALID, 'did you mean "pocket"?'),
    ("plan -o yaml", INVALID, "expected one of table, json"),
    ("plan --var x=1", INVALID, '--var: variables: there is no variable "x" (declare it'),
    ("plan --var-file /nope", INVALID, "/nope:1:1: variables: open /nope: No such file"),
    ("apply /nope.plan", ABSENT, "open /nope.plan: No such file"),
    ("destroy a b", INVALID, '"b" is too much; see isobar destroy --help'),
    ("approve xyz", INVALID, "64 hexadecimal digits"),
    ("adopt bucket/lake x", ABSENT, 'say which of "bucket/lake on aws-us", "bucket/lake on gcp-eu", "bucket/lake on azure-eu" is adopted'),
    ("adopt bucket/nope x", ABSENT, "write it down before it is adopted"),
    ("addresses --nope", INVALID, "unknown option --nope"),
    ("explain nope", ABSENT, "`isobar explain` lists them"),
    ("explain buckets.nam", ABSENT, 'did you mean "name"?'),
    ("schema x", INVALID, "see isobar schema --help"),
    ("guards --out /proc/x", ABSENT, "/proc/x"),
    ("permissions nope", ABSENT, "it has aws-us, gcp-eu, azure-eu"),
    ("check nope", ABSENT, "no cloud/nope; it has aws-us, gcp-eu, azure-eu"),
    ("check --deep aws-us", INVALID, "--at-most 1EUR"),
    ("init", CONFLICT, "is there already, and stays as it is"),
    ("init new --from nope", INVALID, "none of aws, gcp, azure, kubernetes, slurm"),
    ("run model/nope", CONFLICT, "run `isobar apply` first"),
    ("deploy x", INVALID, "takes no arguments"),
    ("rollback nope", INVALID, "write endpoint/NAME or model/NAME@ALIAS"),
    ("status /nope", ABSENT, "cannot open the workspace /nope"),
    ("down /nope", ABSENT, "cannot open the workspace /nope"),
    ("models x", INVALID, "see isobar models --help"),
    ("endpoints x", INVALID, "see isobar endpoints --help"),
    ("alerts --nope", INVALID, "unknown option --nope"),
    ("override endpoint/classify traffic 0%", INVALID, "--reason TEXT"),
    ("override endpoint/nope traffic 0% --reason x", ABSENT, "there is no resource endpoint/nope"),
    ("override endpoint/x traffic 0% --reason x --expires soon", INVALID, "expected a duration such as 30s or 2h"),
    ("overrides x", INVALID, "see isobar overrides --help"),
    ("overrides end endpoint/nope", ABSENT, "has no override"),
    ("events --limit x", INVALID, 'expected a whole number, got "x"'),
    ("cost x", INVALID, "see isobar cost --help"),
    ("audit verify x", INVALID, "see isobar audit verify --help"),
    ("report x y", INVALID, "see isobar report --help"),
    ("backup /nope/x --without-keys", ABSENT, "/nope/x"),
    ("backup b --passphrase env:NOPE", ABSENT, "the environment variable NOPE is not set"),
    ("restore /nope", ABSENT, "open the backup /nope"),
    ("restore isobar.yaml", CORRUPT, "is no backup that Isobar made"),
    ("why nope", ABSENT, "isobar events lists what there is"),
    ("data ls nope", ABSENT, "nope: No such file"),
    ("data ls nope:x/", ABSENT, 'there is no cloud "nope"'),
    ("data ls http://x/", INVALID, "schemes are s3://, gs://, az:// and file://"),
    ("data ls s3://bucket/", ABSENT, "set AWS_ACCESS_KEY_ID"),
    ("data cp a b", UNSUPPORTED, "one place must be CLOUD:bucket/key"),
    ("data sync nope/ aws-us:lake/ --delete", ABSENT, "nope/: No such file"),
    ("data mv a", INVALID, "needs FROM TO, got 1 argument"),
    ("data rm isobar.yaml", UNSUPPORTED, "name a place as CLOUD:bucket/key"),
    ("data du nope", ABSENT, "nope: No such file"),
    ("data cat nope", ABSENT, "nope: No such file"),
    ("data verify nope", ABSENT, "nope: No such file"),
    ("reference --man /proc/x", IO, "cannot write /proc/x"),
    ("completion tcsh", INVALID, "there is one for bash, zsh and fish"),
    ("fmt /nope", ABSENT, "open /nope"),
    ("up /nope", ABSENT, "cannot open the workspace /nope"),
    ("demo x", INVALID, "see isobar demo --help"),
    ("pocket", INVALID, "--as, --name and --root are needed"),
    ("prices list x", INVALID, "see isobar prices list --help"),
    ("prices check /nope", ABSENT, "open /nope"),
    ("prices import aws", INVALID, "--out FILE"),
    ("pocket run", INVALID, "needs FOLDER"),
    ("pocket end", INVALID, "see isobar pocket end --help"),
    ("pocket faults /nope", UNAVAILABLE, "no pocket cloud runs in /nope"),
    ("gateway", INVALID, "--snapshot FILE is needed"),
    ("gateway --snapshot /nope", ABSENT, "open /nope"),
    ("serve", INVALID, "--model FOLDER is needed"),
    ("serve --model /nope", ABSENT, "open /nope/model.json"),
    ("worker --job /nope", INVALID, "--job must name the folder of a job"),
    ("trainer nope", ABSENT, "there are mlp and evaluate"),
    ("transformer nope", INVALID, "there is: images"),
    ("image /nope", ABSENT, "/nope/: No such file"),
    ("nonsense", INVALID, "see isobar --help"),
    ("plna", INVALID, 'did you mean "plan"?'),
)


def ran(s, folder, line, code, text):
    ended = s.run(*shlex.split(line), folder=folder, expect=None)
    same(ended.code, code, "exit code of %s" % ended)
    need(text in ended.err, "it does not say %r: %s", text, ended)
    need(len(ended.err.splitlines()) <= 3, "it says too much: %s", ended)
    same(ended.out, "", "standard output of %s" % ended)


def test(s):
    for name in [name for name in os.environ if name.startswith(("ISOBAR_OP", "AWS_", "XDG_CONFIG"))]:
        del os.environ[name]
    os.environ["HOME"] = s.folder
    empty, folder = os.path.join(s.folder, "empty"), os.path.join(s.folder, "fashion")
    os.makedirs(empty)
    shutil.copytree(os.path.join(ROOT, "examples/fashion"), folder, ignore=shutil.ignore_patterns(".isobar"))
    for line in NOWHERE:
        ran(s, empty, line, ABSENT, NONE)
    ran(s, empty, "fmt", ABSENT, "there is no .yaml file in .")
    same(os.listdir(empty), [], "what was made in a folder without a workspace")
    before = sorted(os.listdir(folder))
    for line, code, text in WRONG:
        ran(s, folder, line, code, text)
    same([name for name in sorted(os.listdir(folder)) if name != ".isobar"], before, "files of the workspace")
    s.run("down", folder=folder)
    known = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", s.run("help").out, re.M)
    need(len(known) > 40, "commands in the help: %s", known)
    tried = [line + " " for line in NOWHERE + tuple(line for line, _, _ in WRONG)]
    same([one for one in known if not any(line.startswith(one + " ") for line in tried)], [], "commands that nobody typed wrongly")


run_test(test)
