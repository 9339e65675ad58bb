#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""isobar check: on pocket clouds, on three accounts, with a wrong key, an account that is down, a permission that lacks; and
isobar check --deep: what it may cost, what it leaves behind (nothing, also when it is interrupted or its writes are refused), and
what its record keeps to itself.
"""
import json
import os
import signal
import time

from accounts import PROVIDERS, Account, Proxy, environment, write_operator
from changes import S3
from scenario import need, run_test, same, wait_for

LIMIT, LACKS = 6, 1  # exit codes
WORKSPACE = """isobar: 1
workspace: checked
environments: {main: {}}
clouds:
  aws-us: {provider: aws, region: us-east-1}
  gcp-eu: {provider: gcp, region: europe-west4}
  azure-eu: {provider: azure, region: westeurope}
buckets:
  lake: {clouds: all}
"""


def write_workspace(s):
    folder = os.path.join(s.folder, "w")
    os.mkdir(folder)
    with open(os.path.join(folder, "isobar.yaml"), "w") as file:
        file.write(WORKSPACE)
    return folder


def clouds_of(ended):
    return {one["cloud"]: one for one in ended.json()["clouds"]}


def verdicts(cloud):
    return {one["permission"]: one["verdict"] for one in cloud["permissions"]}


def check_pocket(s):
    """Pocket clouds that check started end with it."""
    folder = s.workspace("pocket", images=False)
    told = s.run("check", folder=folder).out
    for cloud in PROVIDERS:
        need("cloud/%s  " % cloud in told, "%s is not told of:\n%s", cloud, told)
    same(told.count("\n  ok\n"), 3, "clouds that are well")
    up = [cloud["up"] for cloud in s.status(folder)["clouds"]]
    same(up, [False, False, False], "pocket clouds that run after check")


def check_accounts(s, folder, env, accounts):
    before = [a.contents() for a in accounts]
    clouds = clouds_of(s.run("check", "-o", "json", folder=folder, env=env))
    same(sorted(clouds), sorted(PROVIDERS), "clouds")
    for cloud in clouds.values():
        need(cloud["ok"], "%s is not well: %s", cloud["cloud"], cloud)
        same([one["state"] for one in cloud["buckets"]], ["there"], "the bucket of " + cloud["cloud"])
        same({one["part"]: one["state"] for one in cloud["parts"]}["store"], "works", "the store of " + cloud["cloud"])
        same(cloud["quota"]["state"], "unsupported", "quota")
    same(clouds["aws-us"]["who"].split(":")[-1], "user/pocket", "who we are at AWS")
    same(clouds["gcp-eu"]["who"], accounts[1].credentials["client_email"], "who we are at Google Cloud")
    same(clouds["azure-eu"]["account"], accounts[2].credentials["account"], "the account at Azure")
    same(verdicts(clouds["aws-us"])["s3:GetObject"], "allowed", "s3:GetObject")
    same(verdicts(clouds["aws-us"])["s3:PutObject"], "not tested", "s3:PutObject")
    same(verdicts(clouds["gcp-eu"])["storage.objects.create"], "allowed", "Google Cloud has a dry run of writes")
    same([a.contents() for a in accounts], before, "what the accounts hold after check")


def check_wrong_key(s, folder, accounts):
    env = environment(s, write_operator(s, accounts, wrong=("gcp-eu",)))
    ended = s.run("check", "-o", "json", folder=folder, env=env, expect=LACKS)
    clouds = clouds_of(ended)
    same({name: one["ok"] for name, one in clouds.items()}, {"aws-us": True, "gcp-eu": False, "azure-eu": True}, "who is well")
    need("nobody@nowhere.test" in clouds["gcp-eu"]["error"], "the wrong account is not named: %s", clouds["gcp-eu"])
    s.run("check", "aws-us", folder=folder, env=env)
    s.run("check", "nowhere", folder=folder, env=env, expect=3)


def check_denied(s, folder, accounts):
    """One permission lacks: it is the one that is named."""
    aws = accounts[0]
    tags = {"denied": True}
    proxy = Proxy(aws, lambda method, path: [("tags" if "tagging" in path and method == "GET" else "other", None)],
                  lambda asked: asked[0][0] != "tags" or not tags["denied"])
    env = environment(s, write_operator(s, accounts))
    told = s.run("check", "aws-us", folder=folder, env=env, expect=LACKS).out
    need("LACKS        s3:GetBucketTagging: " in told, "the permission is not named:\n%s", told)
    same(told.count("LACKS"), 1, "what lacks:\n%s" % told)
    tags["denied"] = False
    s.run("check", "aws-us", folder=folder, env=env)
    proxy.stop()
    aws.store = aws.url


def deep(s, folder, env, cloud, *more, expect=0):
    return s.run("check", "--deep", cloud, "--at-most", "1EUR", *more, folder=folder, env=env, expect=expect)


def check_deep(s, folder, env, accounts):
    before = [a.contents() for a in accounts]
    told = s.run("check", "--deep", "aws-us", "--at-most", "0.001EUR", folder=folder, env=env, expect=LIMIT).err
    need("nothing was done" in told and "may cost 0.0126 USD" in told, "the limit: %s", told)
    need("--at-most 1EUR" in s.run("check", "--deep", "aws-us", folder=folder, env=env, expect=2).err, "a missing limit")
    for account in accounts:
        record = os.path.join(s.folder, account.cloud + ".record.json")
        result = deep(s, folder, env, account.cloud, "-o", "json", "--record", record, "--server", "a test").json()
        same((result["failed"], result["skipped"]), (0, 0), "cases that did not hold: %s" % result["cases"])
        need(result["ok"] > 50, "only %d cases", result["ok"])
        check_record(record, account)
    same([a.contents() for a in accounts], before, "what the accounts hold after check --deep")


def check_record(path, account):
    with open(path) as file:
        text = file.read()
    record = json.loads(text)
    same((record["format"], record["provider"], record["kind"], record["server"]), (1, account.provider, "server", "a test"), "the record")
    need(len(record["calls"]) > 80, "only %d calls", len(record["calls"]))
    for secret in account.secrets() + [account.url, account.url.split("//")[1].split("/")[0], "SharedKey ", "Bearer ", "AWS4-HMAC"]:
        need(secret not in text and secret.split("\n")[0] not in text, "the record of %s has %s", account.cloud, secret[:20])


def check_interrupted(s, folder, env, accounts):
    """Ctrl-C in the middle: the scratch bucket goes."""
    aws = accounts[0]
    buckets = os.path.join(aws.root, "buckets")
    before = sorted(os.listdir(buckets))
    process = s.start("check", "--deep", "aws-us", "--at-most", "1EUR", folder=folder, env=env)
    wait_for("the scratch bucket", lambda: [name for name in os.listdir(buckets) if name.startswith("isobar-check-")])
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    need(process.returncode != 0, "an interrupted check says that all is well: %s", told)
    same(sorted(os.listdir(buckets)), before, "buckets after an interrupted check")


def check_killed(s, folder, env, accounts):
    """What a run that was killed left goes with the next one, once it is an hour old; buckets that are only called alike stay."""
    aws = accounts[0]
    s3 = S3.__new__(S3)
    s3.credentials, s3.host = aws.credentials, aws.url.split("//")[1]
    old = "isobar-check-" + "5f000000" + "0123456789ab"
    kept = ["isobar-check-%08x0123456789ab" % int(time.time()), "isobar-check-mine"]
    for bucket in [old] + kept:
        s3.make(bucket)
        s3.put(bucket, "big/part", b"left behind")
    same(deep(s, folder, env, "aws-us", "-o", "json").json()["swept"], [old], "buckets that were swept")
    found = [name for name in os.listdir(os.path.join(aws.root, "buckets")) if name.startswith("isobar-check-")]
    same(sorted(found), sorted(kept), "scratch buckets after the sweep")
    for bucket in kept:
        s3.must("DELETE", "/%s/big/part" % bucket)
        s3.must("DELETE", "/" + bucket)


def check_refused(s, folder, accounts):
    """Writes are refused from the start: cases fail, and what was made goes."""
    aws = accounts[0]
    buckets = os.path.join(aws.root, "buckets")
    before = sorted(os.listdir(buckets))
    proxy = Proxy(aws, lambda method, path: [(method, path)],
                  lambda asked: not (asked[0][0] == "PUT" and asked[0][1].count("/") > 1 and "?" not in asked[0][1]))
    env = environment(s, write_operator(s, accounts))
    result = deep(s, folder, env, "aws-us", "-o", "json", expect=LACKS).json()
    need(result["failed"] > 10, "only %d cases failed", result["failed"])
    same(sorted(os.listdir(buckets)), before, "buckets after a check whose writes were refused")
    proxy.stop()
    aws.store = aws.url


def test(s):
    check_pocket(s)
    accounts = [Account(s, cloud) for cloud in PROVIDERS]
    env = environment(s, write_operator(s, accounts))
    folder = write_workspace(s)
    s.run("apply", "--auto-approve", folder=folder, env=env)
    check_accounts(s, folder, env, accounts)
    check_wrong_key(s, folder, accounts)
    check_denied(s, folder, accounts)
    env = environment(s, write_operator(s, accounts))
    check_deep(s, folder, env, accounts)
    check_interrupted(s, folder, env, accounts)
    check_killed(s, folder, env, accounts)
    check_refused(s, folder, accounts)
    accounts[2].process.terminate()
    accounts[2].process.wait()
    env = environment(s, write_operator(s, accounts))
    clouds = clouds_of(s.run("check", "-o", "json", folder=folder, env=env, expect=LACKS, seconds=180))
    same({name: one["ok"] for name, one in clouds.items()}, {"aws-us": True, "gcp-eu": True, "azure-eu": False}, "who is well")
    for account in accounts[:2]:
        account.process.terminate()
        account.process.wait()


run_test(test)
