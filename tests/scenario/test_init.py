#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""isobar init: an empty workspace that validates, and one of what the credentials can see: three accounts with buckets of their own.
Nothing is changed there, nothing that is here is overwritten, and the first plan has nothing to do.
"""
import os
import re

from accounts import PROVIDERS, Account, environment, write_operator
from scenario import need, run_test, same

EXISTS = 5  # exit code, see docs/commands.md
FILLED = """isobar: 1
workspace: elsewhere
environments: {main: {}}
clouds:
  aws-us: {provider: aws, region: us-east-1}
  gcp-eu: {provider: gcp, region: europe-west4}
  azure-eu: {provider: azure, region: westeurope}
buckets:
  lake: {clouds: all}
  raw: {clouds: all, name: "raw-data-1"}
"""


def read(path):
    with open(path) as file:
        return file.read()


def check_empty(s):
    told = s.run("init", "fresh").out
    path = os.path.join(s.folder, "fresh", "isobar.yaml")
    need(told.startswith("fresh/isobar.yaml"), "init does not say what it wrote: %s", told)
    need("valid" in s.run("validate", "fresh").err + s.run("validate", "fresh").out, "the empty workspace is not valid")
    need("workspace: fresh" in read(path), "the workspace has another name than its folder")
    text = read(path)
    told = s.run("init", "fresh", expect=EXISTS).err
    need("is there already, and stays as it is" in told, "init does not refuse a workspace that is there: %s", told)
    same(read(path), text, "the workspace after a refused init")
    s.run("init", "named", "--name", "My Own Lake")
    need("workspace: my-own-lake" in read(os.path.join(s.folder, "named/isobar.yaml")), "--name is not taken")
    need("none of aws, gcp, azure, kubernetes, slurm" in s.run("init", "odd", "--from", "oracle", expect=2).err, "a source that is none")
    need(not os.path.exists(os.path.join(s.folder, "odd/isobar.yaml")), "a refused init wrote a workspace")


def fill(s, env):
    os.mkdir(os.path.join(s.folder, "elsewhere"))
    with open(os.path.join(s.folder, "elsewhere", "isobar.yaml"), "w") as file:
        file.write(FILLED)
    s.run("apply", "--auto-approve", "elsewhere", env=env)


def check_from(s, accounts, env):
    before = [a.contents() for a in accounts]
    told = s.run("init", "mine", "--from", "aws,gcp,azure,kubernetes,slurm", env=env).out
    same([a.contents() for a in accounts], before, "what the accounts hold after init")
    for account in accounts:
        need(re.search(r"cloud/%s: .*, account \S+, 2 buckets" % account.cloud, told), "%s is not told of:\n%s", account.cloud, told)
    need("not seen: kubernetes: unsupported until its driver comes" in told, "kubernetes is not told of:\n%s", told)
    need("not seen: slurm: unsupported until its driver comes" in told, "slurm is not told of:\n%s", told)
    text = read(os.path.join(s.folder, "mine/isobar.yaml"))
    same(text.count("existing: keep}"), 6, "buckets that are kept")
    need('"raw-data-1", existing: keep}' in text, "the bucket's own name is lost:\n%s", text)
    need("# not versioned, not public" in text, "what a bucket is like is not said:\n%s", text)
    plan = s.run("plan", "mine", "-o", "json", "--detailed-exitcode", env=env).json()
    need(plan["empty"], "the first plan is not empty: %s", plan["text"])
    s.run("check", env=env, folder=os.path.join(s.folder, "mine"))
    s.run("destroy", "--auto-approve", "mine", env=env)
    same([a.contents() for a in accounts], before, "what the accounts hold after a destroy of what is kept")


def check_unseen(s, accounts):
    """A key that is wrong, and an account that is down, hide only what is theirs."""
    accounts[2].process.terminate()
    accounts[2].process.wait()
    env = environment(s, write_operator(s, accounts, wrong=("aws-us",)))
    told = s.run("init", "part", "--from", "aws,gcp,azure", env=env, seconds=120).out
    need(re.search(r"cloud/gcp-eu: .* 2 buckets", told), "what can be seen is not:\n%s", told)
    need(re.search(r"not seen: aws.*(SignatureDoesNotMatch|signature)", told), "the wrong key is not named:\n%s", told)
    need(re.search(r"not seen: azure", told), "the account that is down is not named:\n%s", told)
    need("# - aws" in read(os.path.join(s.folder, "part/isobar.yaml")), "what was not seen is not in the file")
    need(s.run("plan", "part", "-o", "json", env=env).json()["empty"], "the first plan is not empty")


def test(s):
    check_empty(s)
    accounts = [Account(s, cloud) for cloud in PROVIDERS]
    env = environment(s, write_operator(s, accounts))
    fill(s, env)
    check_from(s, accounts, env)
    check_unseen(s, accounts)
    for account in accounts:
        account.process.terminate()
        account.process.wait()


run_test(test)
