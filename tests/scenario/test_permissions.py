#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""isobar permissions: a policy that is enough, and no more. Before each account stands a proxy that knows from the providers' own
documents what a request asks for, and grants what the policy of `isobar permissions --deep` grants and nothing else: the drivers'
conformance cases hold behind it, and use all that it grants. Without one of its permissions they do not.
"""
import fnmatch
import json
import os
import re
import urllib.parse

from accounts import PROVIDERS, Account, Proxy, environment, write_operator
from scenario import need, run_test, same

WORKSPACE = """isobar: 1
workspace: least
environments: {main: {}}
clouds:
  aws-us: {provider: aws, region: us-east-1}
  gcp-eu: {provider: gcp, region: europe-west4}
  azure-eu: {provider: azure, region: westeurope}
buckets:
  lake: {clouds: all}
"""


def split(path):
    """(segments, query names, query)"""
    parts = urllib.parse.urlsplit(path)
    query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
    return [one for one in parts.path.split("/") if one], query


# ------------------------------------------------------------------ what a request asks for, by the providers' documents


def ask_aws(method, path):
    names, query = split(path)
    if not names:
        return [] if method == "POST" else [("s3:ListAllMyBuckets", None)]
    bucket, key = names[0], len(names) > 1
    if key:
        action = {"HEAD": "s3:GetObject", "GET": "s3:GetObject", "PUT": "s3:PutObject", "POST": "s3:PutObject",
                  "DELETE": "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"}[method]
        return [(action, bucket + "/x")]
    facts = {"location": "s3:GetBucketLocation", "versioning": "s3:GetBucketVersioning", "encryption": "s3:GetEncryptionConfiguration",
             "publicAccessBlock": "s3:GetBucketPublicAccessBlock", "tagging": "s3:GetBucketTagging", "list-type": "s3:ListBucket",
             "uploads": "s3:ListBucketMultipartUploads"}
    if method == "GET":
        for name, action in facts.items():
            if name in query:
                return [(action, bucket)]
        return None
    if method == "PUT":
        return [("s3:PutBucketTagging" if "tagging" in query else "s3:CreateBucket", bucket)]
    return [({"HEAD": "s3:ListBucket", "DELETE": "s3:DeleteBucket"}[method], bucket)]


def ask_azure(method, path):
    names, query = split(path)
    names = names[1:]  # the account
    base = "Microsoft.Storage/storageAccounts/blobServices/"
    comp = query.get("comp", [""])[0]
    if not names:
        return [(base + ("containers/read" if comp == "list" else "getInfo/action"), None)]
    if len(names) > 1:
        return [(base + "containers/blobs/" + {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}[method], names[0])]
    if comp == "list":
        return [(base + "containers/blobs/read", names[0])]
    return [(base + "containers/" + {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}[method], names[0])]


def ask_gcp(method, path):
    names, query = split(path)
    if names and names[0] == "upload":
        bucket = names[4]
        return [("storage.objects.create", bucket), ("storage.objects.delete", bucket)] if method == "POST" else []
    if names[:2] != ["storage", "v1"]:
        return [] if names == ["tokeninfo"] else None
    if len(names) == 3:
        return [("storage.buckets.create" if method == "POST" else "storage.buckets.list", None)]
    if len(names) == 4:
        return [("storage.buckets." + {"GET": "get", "DELETE": "delete", "PATCH": "update"}[method], names[3])]
    if names[4] == "iam":
        return []
    if len(names) == 5:
        return [("storage.objects.list", names[3])]
    return [("storage.objects." + {"GET": "get", "DELETE": "delete"}[method], names[3])]


# ------------------------------------------------------------------ what a policy grants


def grant_aws(policy):
    rules = [(set(one["Action"]), [name.replace("arn:aws:s3:::", "") for name in one["Resource"]])
             for one in json.loads(policy)["Statement"]]

    def grants(asked):
        return all(any(action in actions and any(on == "*" if bucket is None else fnmatch.fnmatchcase(bucket, on) for on in resources)
                       for actions, resources in rules) for action, bucket in asked)
    return grants, {action for actions, _ in rules for action in actions}


def grant_azure(policy):
    policy = json.loads(policy)
    role, condition = policy["roleDefinition"], policy["roleAssignment"]["condition"]
    names = re.findall(r"containers:name\] (StringEquals|StringStartsWith) '([^']*)'", condition)
    data, actions = set(role["DataActions"]), set(role["Actions"])

    def fits(bucket):
        return any(bucket == name if how == "StringEquals" else bucket.startswith(name) for how, name in names)

    def grants(asked):
        return all(action in actions or (action in data and fits(bucket)) for action, bucket in asked)
    for action in data:
        need("ActionMatches{'%s'}" % action in condition, "the condition does not hold %s", action)
    return grants, data | actions


def grant_gcp(policy):
    project, buckets, bindings = policy.split("---\n")
    roles = [set(re.findall(r"^- (storage\.\S+)$", text, re.M)) for text in (project, buckets)]
    exact = re.findall(r'resource.name == "projects/_/buckets/([^"]+)"', bindings)
    prefixes = re.findall(r'resource.name.startsWith\("projects/_/buckets/([^"/]+)"\)', bindings)

    def grants(asked):
        return all(action in roles[0] if bucket is None else
                   action in roles[1] and (bucket in exact or any(bucket.startswith(one) for one in prefixes))
                   for action, bucket in asked)
    return grants, roles[0] | roles[1]


FORMS = {"aws": (ask_aws, grant_aws), "azure": (ask_azure, grant_azure), "gcp": (ask_gcp, grant_gcp)}
# What the conformance cases have no reason to use: an upload that is given up.
UNUSED = {"s3:AbortMultipartUpload"}


def run_behind(s, folder, account, policy, expect=0):
    ask, read = FORMS[account.provider]
    grants, granted = read(policy)
    proxy = Proxy(account, ask, grants)
    env = environment(s, write_operator(s, [account]))
    ended = s.run("check", "--deep", account.cloud, "--at-most", "1EUR", "-o", "json", folder=folder, env=env, expect=None)
    failed = [one for one in ended.json()["cases"] if one["verdict"] == "failed"] if ended.out else ended.err
    need(expect is None or ended.code == expect, "behind the proxy: %s; denied: %s", failed, proxy.denied)
    proxy.stop()
    account.store = account.url
    return ended, proxy, granted


def check_one(s, folder, account):
    policy = s.run("permissions", account.cloud, "--deep", folder=folder).out
    ended, proxy, granted = run_behind(s, folder, account, policy)
    same(proxy.denied, [], "what the policy of %s does not grant" % account.cloud)
    same(ended.json()["failed"], 0, "cases that failed behind the policy of " + account.cloud)
    same(granted - proxy.used() - UNUSED, set(), "what the policy of %s grants for nothing" % account.cloud)
    reading = s.run("permissions", account.cloud, "--read-only", "--deep", folder=folder).out
    _, fewer = FORMS[account.provider][1](reading)
    need(fewer < granted, "read-only is no smaller part: %s", fewer)


def check_less(s, folder, account, permission):
    """Without one permission the cases do not hold, so that the proxy judges at all."""
    policy = s.run("permissions", account.cloud, "--deep", folder=folder).out
    need(permission in policy, "%s is not in the policy", permission)
    ended, proxy, _ = run_behind(s, folder, account, policy.replace(permission, "s3:Nothing"), expect=None)
    need(ended.code != 0 and proxy.denied, "nobody missed %s", permission)


def test(s):
    folder = os.path.join(s.folder, "w")
    os.mkdir(folder)
    with open(os.path.join(folder, "isobar.yaml"), "w") as file:
        file.write(WORKSPACE)
    accounts = [Account(s, cloud) for cloud in PROVIDERS]
    for account in accounts:
        check_one(s, folder, account)
    check_less(s, folder, accounts[0], "s3:GetObject")
    for account in accounts:
        account.process.terminate()
        account.process.wait()


run_test(test)
