# SPDX-License-Identifier: Apache-2.0
"""boto3, unmodified, against STS and IAM of a pocket cloud: roles, sessions, what they may, and how they end."""
import base64
import datetime
import json
import os
import subprocess
import sys
import time

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

url, credentials_file = sys.argv[1:3]
root = os.path.dirname(credentials_file)
with open(credentials_file) as f:
    own = json.load(f)


def client(service, keys=None, **config):
    keys = keys or {"AccessKeyId": own["access_key_id"], "SecretAccessKey": own["secret_access_key"]}
    return boto3.client(
        service, endpoint_url=url, region_name="eu-central-1", aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys.get("SessionToken"),
        config=Config(retries={"max_attempts": 1}, **config))


def fails(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as e:
        error, meta = e.response["Error"], e.response["ResponseMetadata"]
        assert (error["Code"], meta["HTTPStatusCode"]) == (code, status), (error, meta)
        return e
    raise AssertionError("it should have failed with " + code)


sts, iam, s3 = client("sts"), client("iam"), client("s3")
account = own["account"]


def statement(actions, resources, effect="Allow", **more):
    return {"Effect": effect, "Action": actions, "Resource": resources, **more}


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(principal, action="sts:AssumeRole", **more):
    return document({"Effect": "Allow", "Principal": principal, "Action": action, **more})


def test_roles():
    made = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=trust({"AWS": account}), Description="reads",
                           MaxSessionDuration=7200, Tags=[{"Key": "team", "Value": "ml"}])["Role"]
    assert made["Arn"] == f"arn:aws:iam::{account}:role/reader" and made["RoleId"].startswith("AROA"), made
    got = iam.get_role(RoleName="reader")["Role"]
    assert got["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"AWS": account}, got
    assert got["MaxSessionDuration"] == 7200 and got["Tags"] == [{"Key": "team", "Value": "ml"}]
    fails("EntityAlreadyExists", 409, iam.create_role, RoleName="reader", AssumeRolePolicyDocument=trust("*"))
    fails("MalformedPolicyDocument", 400, iam.create_role, RoleName="other", AssumeRolePolicyDocument="{")
    fails("NoSuchEntity", 404, iam.get_role, RoleName="nobody")
    policy = document(statement("s3:GetObject", "arn:aws:s3:::lake/open/*"), statement("s3:ListBucket", "arn:aws:s3:::lake"))
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=policy)
    assert iam.get_role_policy(RoleName="reader", PolicyName="read")["PolicyDocument"] == json.loads(policy)
    assert iam.list_role_policies(RoleName="reader")["PolicyNames"] == ["read"]
    fails("NoSuchEntity", 404, iam.get_role_policy, RoleName="reader", PolicyName="none")
    fails("DeleteConflict", 409, iam.delete_role, RoleName="reader")
    names = [r["RoleName"] for p in iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 1}) for r in p["Roles"]]
    assert names == ["isobar-jobs", "reader"], names


def test_session():
    got = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/reader", RoleSessionName="ann", DurationSeconds=900)
    keys = got["Credentials"]
    left = keys["Expiration"] - datetime.datetime.now(datetime.timezone.utc)
    assert keys["AccessKeyId"].startswith("ASIA") and 880 < left.total_seconds() <= 900, left
    arn = f"arn:aws:sts::{account}:assumed-role/reader/ann"
    assert got["AssumedRoleUser"]["Arn"] == arn
    assert client("sts", keys).get_caller_identity()["Arn"] == arn
    s3.put_object(Bucket="lake", Key="open/a", Body=b"hello")
    s3.put_object(Bucket="lake", Key="closed/a", Body=b"secret")
    reader = client("s3", keys)
    assert reader.get_object(Bucket="lake", Key="open/a")["Body"].read() == b"hello"
    assert reader.list_objects_v2(Bucket="lake")["KeyCount"] >= 2
    e = fails("AccessDenied", 403, reader.get_object, Bucket="lake", Key="closed/a")
    assert "s3:GetObject" in e.response["Error"]["Message"] and arn in e.response["Error"]["Message"], e
    fails("AccessDenied", 403, reader.put_object, Bucket="lake", Key="open/b", Body=b"x")
    fails("AccessDenied", 403, reader.list_buckets)
    fails("AccessDenied", 403, client("iam", keys).list_roles)
    fails("AccessDeniedException", 400, client("sagemaker", keys).list_training_jobs)
    # a copy reads its source
    fails("AccessDenied", 403, reader.copy_object, Bucket="lake", Key="open/c", CopySource="lake/closed/a")
    # wrong in one way each
    fails("SignatureDoesNotMatch", 403, client("s3", {**keys, "SecretAccessKey": "x" * 40}).list_objects_v2, Bucket="lake")
    fails("InvalidToken", 400, client("s3", {**keys, "SessionToken": "IQoJb"}).list_objects_v2, Bucket="lake")
    fails("InvalidAccessKeyId", 403, client("s3", {**keys, "SessionToken": None}).list_objects_v2, Bucket="lake")
    fails("InvalidClientTokenId", 403, client("sts", {**keys, "SessionToken": None}).get_caller_identity)
    fails("UnrecognizedClientException", 400, client("kms", {**keys, "SessionToken": None}).list_keys)
    # presigned with a session
    import urllib.request
    get = reader.generate_presigned_url("get_object", {"Bucket": "lake", "Key": "open/a"}, ExpiresIn=60)
    assert urllib.request.urlopen(get).read() == b"hello"


def test_limits():
    arn = f"arn:aws:iam::{account}:role/reader"
    narrow = document(statement("s3:GetObject", "arn:aws:s3:::lake/open/b"))
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="ann", Policy=narrow)["Credentials"]
    fails("AccessDenied", 403, client("s3", keys).get_object, Bucket="lake", Key="open/a")
    iam.put_role_policy(RoleName="reader", PolicyName="not", PolicyDocument=document(
        statement("s3:Get*", "arn:aws:s3:::lake/open/a", "Deny")))
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="ann")["Credentials"]
    fails("AccessDenied", 403, client("s3", keys).get_object, Bucket="lake", Key="open/a")
    iam.delete_role_policy(RoleName="reader", PolicyName="not")
    assert client("s3", keys).get_object(Bucket="lake", Key="open/a")["Body"].read() == b"hello"
    fails("ValidationError", 400, sts.assume_role, RoleArn=arn, RoleSessionName="ann", DurationSeconds=10000)
    fails("MalformedPolicyDocument", 400, sts.assume_role, RoleArn=arn, RoleSessionName="ann", Policy="{}")
    fails("AccessDenied", 403, sts.assume_role, RoleArn=f"arn:aws:iam::{account}:role/nobody", RoleSessionName="ann")
    # who is not trusted
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust({"AWS": f"arn:aws:iam::{account}:role/isobar-jobs"}))
    fails("AccessDenied", 403, sts.assume_role, RoleArn=arn, RoleSessionName="ann")
    jobs = sts.assume_role(RoleArn=own["role"], RoleSessionName="job")["Credentials"]
    chained = client("sts", jobs).assume_role(RoleArn=arn, RoleSessionName="chained")["Credentials"]
    assert client("s3", chained).get_object(Bucket="lake", Key="open/a")["Body"].read() == b"hello"
    iam.update_assume_role_policy(RoleName="reader", PolicyDocument=trust(
        {"AWS": account}, Condition={"StringEquals": {"sts:ExternalId": "42"}}))
    fails("AccessDenied", 403, sts.assume_role, RoleArn=arn, RoleSessionName="ann")
    sts.assume_role(RoleArn=arn, RoleSessionName="ann", ExternalId="42")


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def identity_token(key_file, **claims):
    head = encoded(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    body = encoded(json.dumps({"iss": "https://issuer.test", "sub": "pod", "aud": "sts.amazonaws.com",
                               "iat": int(time.time()), "exp": int(time.time()) + 600, **claims}).encode())
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file], input=f"{head}.{body}".encode(),
                            stdout=subprocess.PIPE, check=True).stdout
    return f"{head}.{body}.{encoded(signed)}"


def test_web_identity():
    key = root + "/issuer-key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], stderr=subprocess.DEVNULL, check=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    with open(root + "/issuers.json", "w") as f:
        json.dump({"https://issuer.test": {"public_key": public.stdout.decode(), "audiences": ["sts.amazonaws.com"]}}, f)
    iam.create_role(RoleName="pods", AssumeRolePolicyDocument=trust(
        {"Federated": f"arn:aws:iam::{account}:oidc-provider/issuer.test"}, "sts:AssumeRoleWithWebIdentity",
        Condition={"StringEquals": {"issuer.test:sub": "pod"}}))
    iam.attach_role_policy(RoleName="pods", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    assert iam.list_attached_role_policies(RoleName="pods")["AttachedPolicies"][0]["PolicyName"] == "AdministratorAccess"
    arn = f"arn:aws:iam::{account}:role/pods"
    token_file = root + "/token"
    with open(token_file, "w") as f:
        f.write(identity_token(key))
    # as botocore's own chain does it in a pod
    session = boto3.Session()
    os.environ.update(AWS_WEB_IDENTITY_TOKEN_FILE=token_file, AWS_ROLE_ARN=arn, AWS_ROLE_SESSION_NAME="pod",
                      AWS_ENDPOINT_URL_STS=url, AWS_ENDPOINT_URL_S3=url, AWS_DEFAULT_REGION="eu-central-1")
    session = boto3.Session()
    assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/pods/pod")
    assert session.client("s3").get_object(Bucket="lake", Key="closed/a")["Body"].read() == b"secret"
    for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"):
        del os.environ[name]
    take = client("sts").assume_role_with_web_identity
    fails("AccessDenied", 403, take, RoleArn=arn, RoleSessionName="pod", WebIdentityToken=identity_token(key, sub="other"))
    fails("InvalidIdentityToken", 400, take, RoleArn=arn, RoleSessionName="pod",
          WebIdentityToken=identity_token(key, iss="https://unknown.test"))
    fails("InvalidIdentityToken", 400, take, RoleArn=arn, RoleSessionName="pod", WebIdentityToken=identity_token(key)[:-8] + "AAAAAAAA")
    old = int(time.time()) - 3600
    fails("ExpiredTokenException", 400, take, RoleArn=arn, RoleSessionName="pod",
          WebIdentityToken=identity_token(key, iat=old, exp=old + 600))


def test_session_token():
    keys = sts.get_session_token(DurationSeconds=900)["Credentials"]
    assert client("sts", keys).get_caller_identity()["Arn"] == f"arn:aws:iam::{account}:user/pocket"
    assert client("s3", keys).list_buckets()["Buckets"][0]["Name"] == "lake"


def test_ends():
    """Sessions that were issued until now end when somebody says so."""
    keys = sts.assume_role(RoleArn=own["role"], RoleSessionName="job")["Credentials"]
    client("s3", keys).list_objects_v2(Bucket="lake")
    subprocess.run([os.environ["POCKET_PROGRAM"], "pocket", "faults", root, "expire times=1"], check=True,
                   stdout=subprocess.DEVNULL)
    s3.list_buckets()  # the request that the fault meets
    fails("ExpiredToken", 400, client("s3", keys).list_objects_v2, Bucket="lake")
    fails("ExpiredToken", 403, client("sts", keys).get_caller_identity)
    fails("ExpiredTokenException", 400, client("kms", keys).list_keys)
    time.sleep(0.01)
    keys = sts.assume_role(RoleArn=own["role"], RoleSessionName="job")["Credentials"]
    client("s3", keys).list_objects_v2(Bucket="lake")
    # and a deleted role ends what was given for it
    iam.create_role(RoleName="brief", AssumeRolePolicyDocument=trust({"AWS": account}))
    iam.put_role_policy(RoleName="brief", PolicyName="all", PolicyDocument=document(statement("*", "*")))
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/brief", RoleSessionName="bb")["Credentials"]
    client("s3", keys).list_buckets()
    iam.delete_role_policy(RoleName="brief", PolicyName="all")
    fails("AccessDenied", 403, client("s3", keys).list_buckets)
    iam.delete_role(RoleName="brief")
    fails("InvalidAccessKeyId", 403, client("s3", keys).list_buckets)


s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
