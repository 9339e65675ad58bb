# SPDX-License-Identifier: Apache-2.0
"""boto3's kms and secretsmanager, unmodified, against a pocket cloud: only the endpoint and the credentials are its own."""
import base64
import json
import os
import sys
import uuid

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    credentials = json.load(f)


def make_client(service, secret=None, access_key=None, region="eu-central-1"):
    return boto3.client(
        service, endpoint_url=url, region_name=region, aws_access_key_id=access_key or credentials["access_key_id"],
        aws_secret_access_key=secret or credentials["secret_access_key"], config=Config(retries={"max_attempts": 1}))


kms, secrets = make_client("kms"), make_client("secretsmanager")


def fails(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, (e.response["Error"], code)
        assert e.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
        assert e.response["ResponseMetadata"]["RequestId"]
        return e
    raise AssertionError(f"should have failed with {code}")


def make_key(**more):
    return kms.create_key(**more)["KeyMetadata"]


def test_wrap():
    key = make_key(Description="lake", Tags=[{"TagKey": "team", "TagValue": "a"}])
    assert key["KeyState"] == "Enabled" and key["Enabled"] and key["Arn"].endswith(":key/" + key["KeyId"])
    context = {"b": "2", "a": "bucket/lake on aws-us"}
    sealed = kms.encrypt(KeyId=key["Arn"], Plaintext=bytes(range(32)), EncryptionContext=context)
    assert sealed["KeyId"] == key["Arn"]
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context)
    assert opened["Plaintext"] == bytes(range(32)) and opened["KeyId"] == key["Arn"]
    fails("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    fails("InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"][:-1] + b"x", EncryptionContext=context)
    fails("InvalidCiphertextException", kms.decrypt, CiphertextBlob=os.urandom(100))
    other = make_key()
    fails("IncorrectKeyException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=context, KeyId=other["KeyId"])
    fails("ValidationException", kms.encrypt, KeyId=key["KeyId"], Plaintext=bytes(4097))
    e = fails("NotFoundException", kms.encrypt, KeyId=str(uuid.uuid4()), Plaintext=b"x")
    assert isinstance(e, kms.exceptions.NotFoundException)
    moved = kms.re_encrypt(CiphertextBlob=sealed["CiphertextBlob"], SourceEncryptionContext=context, DestinationKeyId=other["KeyId"])
    assert kms.decrypt(CiphertextBlob=moved["CiphertextBlob"], KeyId=other["KeyId"])["Plaintext"] == bytes(range(32))
    data = kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext=context)
    assert len(data["Plaintext"]) == 32
    assert kms.decrypt(CiphertextBlob=data["CiphertextBlob"], EncryptionContext=context)["Plaintext"] == data["Plaintext"]
    assert "Plaintext" not in kms.generate_data_key_without_plaintext(KeyId=key["KeyId"], NumberOfBytes=16)
    assert len(kms.generate_random(NumberOfBytes=24)["Plaintext"]) == 24


def test_aliases():
    one, two = make_key(), make_key()
    kms.create_alias(AliasName="alias/lake", TargetKeyId=one["KeyId"])
    e = fails("AlreadyExistsException", kms.create_alias, AliasName="alias/lake", TargetKeyId=two["KeyId"])
    assert isinstance(e, kms.exceptions.AlreadyExistsException)
    assert kms.describe_key(KeyId="alias/lake")["KeyMetadata"]["KeyId"] == one["KeyId"]
    sealed = kms.encrypt(KeyId="alias/lake", Plaintext=b"x")["CiphertextBlob"]
    kms.update_alias(AliasName="alias/lake", TargetKeyId=two["KeyId"])
    fails("IncorrectKeyException", kms.decrypt, CiphertextBlob=sealed, KeyId="alias/lake")
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    for i in range(5):
        kms.create_alias(AliasName=f"alias/more{i}", TargetKeyId=one["KeyId"])
    pages = list(kms.get_paginator("list_aliases").paginate(PaginationConfig={"PageSize": 2}))
    assert len(pages) == 3
    assert [a["AliasName"] for p in pages for a in p["Aliases"]] == ["alias/lake"] + [f"alias/more{i}" for i in range(5)]
    assert [a["AliasName"] for a in kms.list_aliases(KeyId=two["KeyId"])["Aliases"]] == ["alias/lake"]
    kms.delete_alias(AliasName="alias/lake")
    fails("NotFoundException", kms.describe_key, KeyId="alias/lake")
    fails("NotFoundException", kms.delete_alias, AliasName="alias/lake")
    fails("NotFoundException", make_client("kms", region="us-east-1").describe_key, KeyId="alias/more0")


def test_rotation():
    key = make_key()["KeyId"]
    old = kms.encrypt(KeyId=key, Plaintext=b"old")["CiphertextBlob"]
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key)
    assert status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 90 and status["NextRotationDate"]
    assert kms.rotate_key_on_demand(KeyId=key)["KeyId"].endswith(key)
    assert [r["RotationType"] for r in kms.list_key_rotations(KeyId=key)["Rotations"]] == ["ON_DEMAND"]
    assert kms.decrypt(CiphertextBlob=old)["Plaintext"] == b"old"
    for _ in range(9):
        kms.rotate_key_on_demand(KeyId=key)
    fails("LimitExceededException", kms.rotate_key_on_demand, KeyId=key)
    kms.disable_key_rotation(KeyId=key)
    assert not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_states():
    key = make_key()["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
    fails("DisabledException", kms.encrypt, KeyId=key, Plaintext=b"x")
    fails("DisabledException", kms.decrypt, CiphertextBlob=sealed)
    kms.enable_key(KeyId=key)
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    fails("ValidationException", kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=3)
    gone = kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert gone["KeyState"] == "PendingDeletion" and gone["DeletionDate"]
    e = fails("KMSInvalidStateException", kms.decrypt, CiphertextBlob=sealed)
    assert "pending deletion" in e.response["Error"]["Message"]
    fails("KMSInvalidStateException", kms.schedule_key_deletion, KeyId=key)
    kms.cancel_key_deletion(KeyId=key)
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"


def test_policy_and_tags():
    key = make_key(Tags=[{"TagKey": "a", "TagValue": "1"}])["KeyId"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    policy["Statement"].append({"Sid": "job", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/job"},
                                "Action": "kms:Decrypt", "Resource": "*"})
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
    assert json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][1]["Sid"] == "job"
    fails("MalformedPolicyDocumentException", kms.put_key_policy, KeyId=key, PolicyName="default", Policy="{}")
    kms.tag_resource(KeyId=key, Tags=[{"TagKey": "b", "TagValue": "2"}, {"TagKey": "a", "TagValue": "3"}])
    kms.untag_resource(KeyId=key, TagKeys=["b"])
    assert kms.list_resource_tags(KeyId=key)["Tags"] == [{"TagKey": "a", "TagValue": "3"}]
    assert key in [k["KeyId"] for p in kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 3}) for k in p["Keys"]]


def test_secrets():
    made = secrets.create_secret(Name="app/token", SecretString="hunter2", Tags=[{"Key": "a", "Value": "1"}])
    assert made["ARN"].split(":")[-1].startswith("app/token-") and len(made["ARN"].split("-")[-1]) == 6
    got = secrets.get_secret_value(SecretId="app/token")
    assert got["SecretString"] == "hunter2" and got["VersionStages"] == ["AWSCURRENT"] and got["VersionId"] == made["VersionId"]
    e = fails("ResourceExistsException", secrets.create_secret, Name="app/token", SecretString="x")
    assert isinstance(e, secrets.exceptions.ResourceExistsException)
    token = str(uuid.uuid4())
    put = secrets.put_secret_value(SecretId=made["ARN"], SecretBinary=b"\0bytes", ClientRequestToken=token)
    again = secrets.put_secret_value(SecretId=made["ARN"], SecretBinary=b"\0bytes", ClientRequestToken=token)
    assert put["VersionId"] == again["VersionId"] == token
    fails("ResourceExistsException", secrets.put_secret_value, SecretId="app/token", SecretString="z", ClientRequestToken=token)
    assert secrets.get_secret_value(SecretId="app/token")["SecretBinary"] == b"\0bytes"
    assert secrets.get_secret_value(SecretId="app/token", VersionStage="AWSPREVIOUS")["SecretString"] == "hunter2"
    described = secrets.describe_secret(SecretId="app/token")
    assert described["VersionIdsToStages"] == {made["VersionId"]: ["AWSPREVIOUS"], token: ["AWSCURRENT"]}
    assert described["Tags"] == [{"Key": "a", "Value": "1"}]
    secrets.update_secret_version_stage(SecretId="app/token", VersionStage="AWSCURRENT", MoveToVersionId=made["VersionId"],
                                        RemoveFromVersionId=token)
    assert secrets.get_secret_value(SecretId="app/token")["SecretString"] == "hunter2"
    secrets.put_secret_value(SecretId="app/token", SecretString="third")
    assert len(secrets.list_secret_version_ids(SecretId="app/token", IncludeDeprecated=True)["Versions"]) == 3
    fails("ResourceNotFoundException", secrets.get_secret_value, SecretId="none")
    fails("ResourceNotFoundException", secrets.get_secret_value, SecretId="app/token", VersionId=str(uuid.uuid4()))
    for i in range(4):
        secrets.create_secret(Name=f"more{i}", SecretString="x")
    pages = list(secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2}))
    assert [s["Name"] for p in pages for s in p["SecretList"]] == ["app/token", "more0", "more1", "more2", "more3"]
    secrets.delete_secret(SecretId="app/token", RecoveryWindowInDays=7)
    fails("InvalidRequestException", secrets.get_secret_value, SecretId="app/token")
    secrets.restore_secret(SecretId="app/token")
    assert secrets.get_secret_value(SecretId="app/token")["SecretString"] == "third"
    secrets.delete_secret(SecretId="app/token", ForceDeleteWithoutRecovery=True)
    fails("ResourceNotFoundException", secrets.describe_secret, SecretId="app/token")


def test_at_rest():
    secrets.create_secret(Name="sealed", SecretString="plain text of a secret")
    for folder, _, files in os.walk(os.path.join(os.path.dirname(credentials_file), "docs")):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                text = f.read()
                assert b"plain text of a secret" not in text and base64.b64encode(b"plain text of a secret")[:24] not in text


def test_refused():
    e = fails("InvalidSignatureException", make_client("kms", secret="wrong").list_keys)
    assert "signature" in e.response["Error"]["Message"]
    fails("UnrecognizedClientException", make_client("kms", access_key="AKIAAAAAAAAAAAAAAAAA").list_keys)
    fails("InvalidSignatureException", make_client("secretsmanager", secret="wrong").list_secrets)
    fails("UnknownOperationException", kms.list_retirable_grants, RetiringPrincipal="arn:aws:iam::111122223333:role/x")
    fails("UnsupportedOperationException", kms.create_key, KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
