# SPDX-License-Identifier: Apache-2.0
"""boto3, unmodified, against a pocket cloud: only the endpoint and the credentials are its own."""
import base64
import hashlib
import io
import json
import os
import sys
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

MIB = 1 << 20
url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    credentials = json.load(f)


def make_client(secret=None, access_key=None, **config):
    return boto3.client(
        "s3", endpoint_url=url, region_name="eu-central-1",
        aws_access_key_id=access_key or credentials["access_key_id"],
        aws_secret_access_key=secret or credentials["secret_access_key"],
        config=Config(retries={"max_attempts": 1}, **config))


s3 = make_client()


def fails(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as e:
        error, meta = e.response["Error"], e.response["ResponseMetadata"]
        assert error["Code"] == code, (error, code)
        assert meta["HTTPStatusCode"] == status, (meta, status)
        assert meta["RequestId"]
        return e
    raise AssertionError(f"{call.__name__} should have failed with {code}")


def test_caller_identity():
    def sts(secret):
        return boto3.client(
            "sts", endpoint_url=url, region_name="eu-central-1", aws_access_key_id=credentials["access_key_id"],
            aws_secret_access_key=secret, config=Config(retries={"max_attempts": 1}))
    who = sts(credentials["secret_access_key"]).get_caller_identity()
    assert len(who["Account"]) == 12 and who["Account"].isdigit(), who
    assert who["Arn"] == f"arn:aws:iam::{who['Account']}:user/pocket", who
    fails("SignatureDoesNotMatch", 403, sts("wrong").get_caller_identity)


def test_bucket_facts():
    fails("ServerSideEncryptionConfigurationNotFoundError", 404, s3.get_bucket_encryption, Bucket="lake")
    fails("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket="lake")
    assert s3.get_public_access_block(Bucket="lake")["PublicAccessBlockConfiguration"]["RestrictPublicBuckets"]


def test_buckets():
    s3.create_bucket(Bucket="first", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert s3.get_bucket_location(Bucket="first")["LocationConstraint"] == "eu-central-1"
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["first", "lake"]
    e = fails("BucketAlreadyOwnedByYou", 409, s3.create_bucket, Bucket="first",
              CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert isinstance(e, s3.exceptions.BucketAlreadyOwnedByYou)
    assert s3.head_bucket(Bucket="first")["BucketRegion"] == "eu-central-1"
    s3.put_object(Bucket="first", Key="x", Body=b"1")
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket="first")
    s3.delete_object(Bucket="first", Key="x")
    s3.delete_bucket(Bucket="first")
    fails("404", 404, s3.head_bucket, Bucket="first")
    fails("NoSuchBucket", 404, s3.list_objects_v2, Bucket="first")
    fails("InvalidBucketName", 400, make_client(parameter_validation=False).create_bucket, Bucket="No_Capitals",
          CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


def test_put_get_head():
    body = os.urandom(300_000)
    put = s3.put_object(Bucket="lake", Key="a/b c+d.bin", Body=body, ContentType="image/png", CacheControl="no-cache",
                        Metadata={"who": "me", "note": "two words"})
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket="lake", Key="a/b c+d.bin")  # botocore checks the CRC32 that it sent
    assert got["Body"].read() == body
    assert got["ContentType"] == "image/png" and got["CacheControl"] == "no-cache"
    assert got["Metadata"] == {"who": "me", "note": "two words"}
    assert "ChecksumCRC32" in got
    head = s3.head_object(Bucket="lake", Key="a/b c+d.bin")
    assert head["ContentLength"] == len(body) and head["ETag"] == put["ETag"] and head["LastModified"]
    over = s3.get_object(Bucket="lake", Key="a/b c+d.bin", ResponseContentType="text/x")
    assert over["ContentType"] == "text/x"
    s3.put_object(Bucket="lake", Key="empty", Body=b"")
    assert s3.get_object(Bucket="lake", Key="empty")["Body"].read() == b""


def test_ranges():
    s3.put_object(Bucket="lake", Key="digits", Body=b"0123456789")

    def part(text):
        got = s3.get_object(Bucket="lake", Key="digits", Range=text)
        return got["Body"].read(), got.get("ContentRange")
    assert part("bytes=2-4") == (b"234", "bytes 2-4/10")
    assert part("bytes=7-") == (b"789", "bytes 7-9/10")
    assert part("bytes=-3") == (b"789", "bytes 7-9/10")
    assert part("bytes=5-99") == (b"56789", "bytes 5-9/10")
    fails("InvalidRange", 416, s3.get_object, Bucket="lake", Key="digits", Range="bytes=10-")


def test_odd_keys():
    for key in ["../../etc/passwd", "a//b", "/lead", "trail/", "q?x=1&y=2", "h\u00e9\u00df/\U0001f600", "a%2fb", ".", "..", "x" * 1024]:
        s3.put_object(Bucket="lake", Key="odd/" + key if len(key) < 1000 else key, Body=key.encode())
    keys = [o["Key"] for o in s3.list_objects_v2(Bucket="lake", Prefix="odd/")["Contents"]]
    assert keys == sorted(keys, key=lambda k: k.encode()) and len(keys) == 9
    for key in keys:
        assert s3.get_object(Bucket="lake", Key=key)["Body"].read() == key[4:].encode()
    fails("KeyTooLongError", 400, s3.put_object, Bucket="lake", Key="x" * 1025, Body=b"")


def test_checksums():
    body = b"123456789"
    for name, value in [("CRC32", b"\xcb\xf4\x39\x26"), ("CRC32C", b"\xe3\x06\x92\x83"), ("SHA1", hashlib.sha1(body).digest()),
                        ("SHA256", hashlib.sha256(body).digest()), ("CRC64NVME", bytes.fromhex("ae8b14860a799888"))]:
        text = base64.b64encode(value).decode()
        put = s3.put_object(Bucket="lake", Key="sum", Body=body, **{"Checksum" + name: text})
        assert put["Checksum" + name] == text, put
        head = s3.head_object(Bucket="lake", Key="sum", ChecksumMode="ENABLED")
        assert head["Checksum" + name] == text and head["ChecksumType"] == "FULL_OBJECT"
        wrong = base64.b64encode(bytes(len(value))).decode()
        fails("BadDigest", 400, s3.put_object, Bucket="lake", Key="sum2", Body=body, **{"Checksum" + name: wrong})
        fails("404", 404, s3.head_object, Bucket="lake", Key="sum2")
    fails("BadDigest", 400, s3.put_object, Bucket="lake", Key="sum2", Body=body,
          ContentMD5=base64.b64encode(bytes(16)).decode())
    fails("InvalidDigest", 400, s3.put_object, Bucket="lake", Key="sum2", Body=body, ContentMD5="AAAA")
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"]:  # a stream without a known digest: a trailer
        put = s3.put_object(Bucket="lake", Key="sum3", Body=io.BytesIO(body * 50_000), ChecksumAlgorithm=algorithm)
        assert put["Checksum" + algorithm]
        assert s3.get_object(Bucket="lake", Key="sum3", ChecksumMode="ENABLED")["Body"].read() == body * 50_000


def test_listing():
    s3.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    names = [f"d{i % 7}/f{i:03d}" for i in range(60)] + ["root1", "root2"]
    for name in names:
        s3.put_object(Bucket="many", Key=name, Body=b"x")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="many", PaginationConfig={"PageSize": 9}))
    assert len(pages) == 7 and all(p["KeyCount"] <= 9 for p in pages)
    assert [o["Key"] for p in pages for o in p["Contents"]] == sorted(names)
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 2}))
    assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == [f"d{i}/" for i in range(7)]
    assert [o["Key"] for p in pages for o in p.get("Contents", [])] == ["root1", "root2"]
    pages = list(s3.get_paginator("list_objects").paginate(Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 2}))
    assert [c["Prefix"] for p in pages for c in p.get("CommonPrefixes", [])] == [f"d{i}/" for i in range(7)]
    assert [o["Key"] for p in pages for o in p.get("Contents", [])] == ["root1", "root2"]
    pages = list(s3.get_paginator("list_objects").paginate(Bucket="many", PaginationConfig={"PageSize": 25}))
    assert [o["Key"] for p in pages for o in p["Contents"]] == sorted(names)
    after = s3.list_objects_v2(Bucket="many", StartAfter="d6/f055")
    assert [o["Key"] for o in after["Contents"]] == ["root1", "root2"]
    assert s3.list_objects_v2(Bucket="many", Prefix="none")["KeyCount"] == 0
    gone = s3.delete_objects(Bucket="many", Delete={"Objects": [{"Key": n} for n in names] + [{"Key": "never"}]})
    assert len(gone["Deleted"]) == 63 and "Errors" not in gone
    s3.delete_bucket(Bucket="many")


def test_conditions():
    put = s3.put_object(Bucket="lake", Key="once", Body=b"1", IfNoneMatch="*")
    fails("PreconditionFailed", 412, s3.put_object, Bucket="lake", Key="once", Body=b"2", IfNoneMatch="*")
    put2 = s3.put_object(Bucket="lake", Key="once", Body=b"2", IfMatch=put["ETag"])
    fails("PreconditionFailed", 412, s3.put_object, Bucket="lake", Key="once", Body=b"3", IfMatch=put["ETag"])
    fails("NoSuchKey", 404, s3.put_object, Bucket="lake", Key="never", Body=b"3", IfMatch=put["ETag"])
    assert s3.get_object(Bucket="lake", Key="once", IfMatch=put2["ETag"])["Body"].read() == b"2"
    fails("PreconditionFailed", 412, s3.get_object, Bucket="lake", Key="once", IfMatch=put["ETag"])
    fails("304", 304, s3.get_object, Bucket="lake", Key="once", IfNoneMatch=put2["ETag"])
    modified = s3.head_object(Bucket="lake", Key="once")["LastModified"]
    fails("304", 304, s3.get_object, Bucket="lake", Key="once", IfModifiedSince=modified)
    assert s3.get_object(Bucket="lake", Key="once", IfUnmodifiedSince=modified)["Body"].read() == b"2"


def test_multipart():
    body = os.urandom(5 * MIB) + os.urandom(5 * MIB) + b"tail"
    for algorithm, kind in [(None, "FULL_OBJECT"), ("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE"), ("CRC64NVME", "FULL_OBJECT")]:
        extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        up = s3.create_multipart_upload(Bucket="lake", Key="big", Metadata={"k": "v"}, **extra)["UploadId"]
        at = {"Bucket": "lake", "Key": "big", "UploadId": up}
        parts = []
        for n in (3, 1, 2):
            sent = s3.upload_part(PartNumber=n, Body=body[(n - 1) * 5 * MIB:n * 5 * MIB], **at, **extra)
            part = {"PartNumber": n, "ETag": sent["ETag"]}
            if algorithm:
                part["Checksum" + algorithm] = sent["Checksum" + algorithm]
            parts.append(part)
        parts.sort(key=lambda p: p["PartNumber"])
        assert [p["Size"] for p in s3.list_parts(**at)["Parts"]] == [5 * MIB, 5 * MIB, 4]
        assert [p["PartNumber"] for page in s3.get_paginator("list_parts").paginate(**at, PaginationConfig={"PageSize": 2})
                for p in page["Parts"]] == [1, 2, 3]
        assert up in [u["UploadId"] for u in s3.list_multipart_uploads(Bucket="lake")["Uploads"]]
        fails("InvalidPartOrder", 400, s3.complete_multipart_upload, **at, MultipartUpload={"Parts": parts[::-1]})
        fails("InvalidPart", 400, s3.complete_multipart_upload, **at,
              MultipartUpload={"Parts": [dict(parts[0], ETag='"00"')]})
        fails("EntityTooSmall", 400, s3.complete_multipart_upload, **at, MultipartUpload={"Parts": [
            parts[0], {"PartNumber": 4, "ETag": s3.upload_part(PartNumber=4, Body=b"x", **at, **extra)["ETag"]},
            {"PartNumber": 5, "ETag": s3.upload_part(PartNumber=5, Body=b"y", **at, **extra)["ETag"]}]})
        done = s3.complete_multipart_upload(**at, MultipartUpload={"Parts": parts})
        digests = b"".join(bytes.fromhex(p["ETag"].strip('"')) for p in parts)
        assert done["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-3"'
        assert done["ChecksumType"] == kind, done
        head = s3.head_object(Bucket="lake", Key="big", ChecksumMode="ENABLED")
        assert head["Metadata"] == {"k": "v"} and head["ChecksumType"] == kind
        got = s3.get_object(Bucket="lake", Key="big", ChecksumMode="ENABLED")
        assert got["Body"].read() == body
        middle = s3.get_object(Bucket="lake", Key="big", Range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
        assert middle["Body"].read() == body[5 * MIB - 2:5 * MIB + 2]
        fails("NoSuchUpload", 404, s3.list_parts, **at)
    up = s3.create_multipart_upload(Bucket="lake", Key="gone")["UploadId"]
    s3.abort_multipart_upload(Bucket="lake", Key="gone", UploadId=up)
    fails("NoSuchUpload", 404, s3.upload_part, Bucket="lake", Key="gone", UploadId=up, PartNumber=1, Body=b"")


def test_managed_transfer():
    body = os.urandom(20 * MIB + 17)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=4)
    s3.upload_fileobj(io.BytesIO(body), "lake", "managed", Config=config)
    out = io.BytesIO()
    s3.download_fileobj("lake", "managed", out, Config=config)
    assert out.getvalue() == body
    s3.copy({"Bucket": "lake", "Key": "managed"}, "lake", "managed-copy", Config=config)
    assert s3.get_object(Bucket="lake", Key="managed-copy")["Body"].read() == body


def test_copy():
    s3.put_object(Bucket="lake", Key="from", Body=b"bytes", Metadata={"a": "1"}, ContentType="text/a")
    s3.copy_object(Bucket="lake", Key="to", CopySource={"Bucket": "lake", "Key": "from"})
    got = s3.get_object(Bucket="lake", Key="to")
    assert got["Body"].read() == b"bytes" and got["Metadata"] == {"a": "1"} and got["ContentType"] == "text/a"
    fails("InvalidRequest", 400, s3.copy_object, Bucket="lake", Key="from", CopySource={"Bucket": "lake", "Key": "from"})
    s3.copy_object(Bucket="lake", Key="from", CopySource={"Bucket": "lake", "Key": "from"}, MetadataDirective="REPLACE",
                   Metadata={"b": "2"})
    got = s3.get_object(Bucket="lake", Key="from")
    assert got["Body"].read() == b"bytes" and got["Metadata"] == {"b": "2"}
    fails("NoSuchKey", 404, s3.copy_object, Bucket="lake", Key="to", CopySource={"Bucket": "lake", "Key": "never"})
    fails("PreconditionFailed", 412, s3.copy_object, Bucket="lake", Key="to", CopySource={"Bucket": "lake", "Key": "from"},
          CopySourceIfMatch='"00"')


def test_signatures():
    e = fails("SignatureDoesNotMatch", 403, make_client(secret="wrong").list_buckets)
    assert e.response["Error"]["Message"]
    fails("SignatureDoesNotMatch", 403, make_client(secret="wrong").put_object, Bucket="lake", Key="w", Body=b"1")
    fails("InvalidAccessKeyId", 403, make_client(access_key="AKIAAAAAAAAAAAAAAAAA").list_buckets)
    e = fails("NoSuchKey", 404, s3.get_object, Bucket="lake", Key="missing")
    assert isinstance(e, s3.exceptions.NoSuchKey)
    fails("404", 404, s3.head_object, Bucket="lake", Key="missing")
    e = fails("NoSuchBucket", 404, s3.get_object, Bucket="nothere", Key="x")
    assert isinstance(e, s3.exceptions.NoSuchBucket)
    fails("NotImplemented", 501, s3.get_bucket_acl, Bucket="lake")
    fails("404", 404, s3.head_object, Bucket="lake", Key="w")


def http(method, address, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data=data, method=method)) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()


def test_presigned():
    signer = make_client(signature_version="s3v4")
    s3.put_object(Bucket="lake", Key="shared", Body=b"look")
    get = signer.generate_presigned_url("get_object", {"Bucket": "lake", "Key": "shared"}, ExpiresIn=60)
    assert http("GET", get) == (200, b"look")
    status, text = http("GET", get.replace("shared", "other"))
    assert status == 403 and b"SignatureDoesNotMatch" in text
    put = signer.generate_presigned_url("put_object", {"Bucket": "lake", "Key": "given"}, ExpiresIn=60)
    assert http("PUT", put, b"thanks")[0] == 200
    assert s3.get_object(Bucket="lake", Key="given")["Body"].read() == b"thanks"
    status, text = http("GET", url + "/lake/shared")
    assert status == 403 and b"AccessDenied" in text


s3.create_bucket(Bucket="lake", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
