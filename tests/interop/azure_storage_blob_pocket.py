# SPDX-License-Identifier: Apache-2.0
"""azure-storage-blob, unmodified, against a pocket cloud: only the address and the credentials are its own."""
import base64
import hashlib
import io
import json
import os
import sys

from azure.core import MatchConditions
from azure.core.exceptions import (
    ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceModifiedError, ResourceNotFoundError)
from azure.storage.blob import BlobBlock, BlobServiceClient, ContentSettings

MIB = 1 << 20
url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    credentials = json.load(f)
assert url.endswith("/" + credentials["account"])


def make_service(key=None, **options):
    return BlobServiceClient(url, {"account_name": credentials["account"], "account_key": key or credentials["key"]},
                             retry_total=0, **options)


service = make_service()
lake = service.create_container("lake", metadata={"team": "data"})


def fails(error, code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except HttpResponseError as e:
        assert type(e) is error, (type(e), e)
        assert e.error_code == code, (e.error_code, code)
        assert e.status_code == status, (e.status_code, status)
        return e
    raise AssertionError(f"{call} should have failed with {code}")


def test_containers():
    first = service.create_container("first")
    fails(ResourceExistsError, "ContainerAlreadyExists", 409, service.create_container, "first")
    fails(HttpResponseError, "InvalidResourceName", 400, service.create_container, "No_Capitals")
    assert [c.name for c in service.list_containers()] == ["first", "lake"]
    assert [c.metadata for c in service.list_containers("la", include_metadata=True)] == [{"team": "data"}]
    assert [c.name for c in service.list_containers(results_per_page=1)] == ["first", "lake"]
    first.upload_blob("x", b"1")
    first.set_container_metadata({"k": "v"})
    assert first.get_container_properties().metadata == {"k": "v"}
    assert first.exists()
    first.delete_container()
    assert not first.exists()
    fails(ResourceNotFoundError, "ContainerNotFound", 404, first.get_container_properties)
    fails(ResourceNotFoundError, "ContainerNotFound", 404, first.upload_blob, "x", b"1")
    fails(ResourceNotFoundError, "ContainerNotFound", 404, lambda: list(first.list_blobs()))
    assert service.get_account_information()["account_kind"] == "StorageV2"


def test_put_get_head():
    body = os.urandom(300_000)
    blob = lake.get_blob_client("a/b c+d.bin")
    blob.upload_blob(body, metadata={"who": "me"}, validate_content=True,
                     content_settings=ContentSettings(content_type="image/png", cache_control="no-cache", content_language="en"))
    got = blob.download_blob(validate_content=True)
    assert got.readall() == body
    p = blob.get_blob_properties()
    assert p.size == len(body) and p.metadata == {"who": "me"} and p.blob_type == "BlockBlob"
    assert p.content_settings.content_type == "image/png" and p.content_settings.cache_control == "no-cache"
    assert p.content_settings.content_language == "en"
    assert p.content_settings.content_md5 == bytearray(hashlib.md5(body).digest())
    assert p.creation_time and p.last_modified and p.etag.startswith('"0x8D')
    empty = lake.upload_blob("empty", b"")
    assert empty.download_blob().readall() == b""
    fails(ResourceExistsError, "BlobAlreadyExists", 409, blob.upload_blob, b"again")
    blob.upload_blob(b"again", overwrite=True)
    assert blob.download_blob().readall() == b"again"


def test_ranges():
    blob = lake.upload_blob("digits", b"0123456789", overwrite=True)
    assert blob.download_blob(offset=2, length=3).readall() == b"234"
    assert blob.download_blob(offset=7).readall() == b"789"
    assert blob.download_blob(offset=5, length=99, validate_content=True).readall() == b"56789"
    fails(HttpResponseError, "InvalidRange", 416, blob.download_blob, offset=10, length=1)


def test_odd_names():
    # Not "../x": the client's HTTP library resolves dot segments after the request was signed.
    names = ["..x/.y", "a//b", "/lead", "trail/", "q?x=1&y=2", "h\u00e9\u00df/\U0001f600", "a%2fb", "plus+", "x" * 1024]
    for name in names:
        lake.upload_blob("odd/" + name if len(name) < 1000 else name, name.encode(), overwrite=True)
    listed = [b.name for b in lake.list_blobs("odd/")]
    assert listed == sorted(listed, key=lambda k: k.encode()) and len(listed) == 8, listed
    for name in listed:
        assert lake.download_blob(name).readall() == name[4:].encode()
    fails(HttpResponseError, "InvalidResourceName", 400, lake.upload_blob, "x" * 1025, b"1")


def test_listing():
    many = service.create_container("many")
    names = [f"d{i % 7}/f{i:03d}" for i in range(60)] + ["root1", "root2"]
    for name in names:
        many.upload_blob(name, b"x", metadata={"n": "1"})
    pages = [[b.name for b in page] for page in many.list_blobs(results_per_page=9).by_page()]
    assert len(pages) == 7 and [n for p in pages for n in p] == sorted(names)
    walked = [b.name for b in many.walk_blobs(delimiter="/", results_per_page=2)]
    assert walked == [f"d{i}/" for i in range(7)] + ["root1", "root2"], walked
    assert [b.name for b in many.walk_blobs("d1/", delimiter="/")] == sorted(n for n in names if n.startswith("d1/"))
    assert [b.metadata for b in many.list_blobs("root1", include=["metadata"])] == [{"n": "1"}]
    assert list(many.list_blobs("none")) == []
    one = next(iter(many.list_blobs("root1")))
    assert one.size == 1 and one.etag and one.content_settings.content_md5 == bytearray(hashlib.md5(b"x").digest())
    many.delete_container()


def test_conditions():
    blob = lake.get_blob_client("once")
    first = blob.upload_blob(b"1")
    fails(ResourceExistsError, "BlobAlreadyExists", 409, blob.upload_blob, b"2")
    second = blob.upload_blob(b"2", overwrite=True, etag=first["etag"], match_condition=MatchConditions.IfNotModified)
    fails(ResourceModifiedError, "ConditionNotMet", 412, blob.upload_blob, b"3", overwrite=True, etag=first["etag"],
          match_condition=MatchConditions.IfNotModified)
    never = lake.get_blob_client("never")
    fails(ResourceModifiedError, "ConditionNotMet", 412, never.upload_blob, b"3", overwrite=True, etag=first["etag"],
          match_condition=MatchConditions.IfNotModified)
    assert blob.download_blob(etag=second["etag"], match_condition=MatchConditions.IfNotModified).readall() == b"2"
    fails(ResourceModifiedError, "ConditionNotMet", 412, blob.download_blob, etag=first["etag"],
          match_condition=MatchConditions.IfNotModified)
    fails(ResourceModifiedError, "ConditionNotMet", 304, blob.get_blob_properties, etag=second["etag"],
          match_condition=MatchConditions.IfModified)  # the library goes by the code, not by the status
    fails(ResourceModifiedError, "ConditionNotMet", 412, blob.delete_blob, etag=first["etag"],
          match_condition=MatchConditions.IfNotModified)
    blob.delete_blob(etag=second["etag"], match_condition=MatchConditions.IfNotModified)
    fails(ResourceNotFoundError, "BlobNotFound", 404, blob.delete_blob)


def block_id(n):
    return base64.b64encode(b"%08d" % n).decode()


def test_blocks():
    body = os.urandom(3 * MIB)
    blob = lake.get_blob_client("blocks")
    for n in (2, 0, 1):
        blob.stage_block(block_id(n), body[n * MIB:(n + 1) * MIB], validate_content=n != 2)
    committed, uncommitted = blob.get_block_list("all")
    assert committed == [] and [(b.id, b.size) for b in uncommitted] == [(block_id(n), MIB) for n in range(3)]
    assert not blob.exists()
    fails(HttpResponseError, "InvalidBlobOrBlock", 400, blob.stage_block, base64.b64encode(b"short").decode(), b"x")
    fails(HttpResponseError, "InvalidBlockList", 400, blob.commit_block_list, [BlobBlock(block_id(9))])
    md5 = hashlib.md5(body).digest()
    blob.commit_block_list([BlobBlock(block_id(n)) for n in range(3)], metadata={"k": "v"},
                           content_settings=ContentSettings(content_type="x/y", content_md5=bytearray(md5)))
    assert blob.download_blob().readall() == body
    assert blob.download_blob(offset=MIB - 3, length=6).readall() == body[MIB - 3:MIB + 3]
    p = blob.get_blob_properties()
    assert p.metadata == {"k": "v"} and p.content_settings.content_type == "x/y"
    assert p.content_settings.content_md5 == bytearray(md5)
    committed, uncommitted = blob.get_block_list("all")
    assert [b.id for b in committed] == [block_id(n) for n in range(3)] and uncommitted == []
    blob.stage_block(block_id(7), b"new")
    blob.commit_block_list([BlobBlock(block_id(2)), BlobBlock(block_id(7)), BlobBlock(block_id(0))])
    assert blob.download_blob().readall() == body[2 * MIB:] + b"new" + body[:MIB]
    blob.stage_block(block_id(8), b"never")
    blob.upload_blob(b"whole", overwrite=True)  # forgets staged blocks
    assert blob.get_block_list("all") == ([], [])
    fails(HttpResponseError, "Md5Mismatch", 400, raw, "PUT", "/lake/bad", b"123",
          {"x-ms-blob-type": "BlockBlob", "content-md5": base64.b64encode(bytes(16)).decode()})
    fails(HttpResponseError, "Crc64Mismatch", 400, raw, "PUT", "/lake/bad", b"123",
          {"x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": "AAAAAAAAAAA="})
    assert raw("PUT", "/lake/good", b"123456789", {"x-ms-blob-type": "BlockBlob", "x-ms-content-crc64": base64.b64encode(
        (0xae8b14860a799888).to_bytes(8, "little")).decode()}).status_code == 201
    fails(ResourceNotFoundError, "BlobNotFound", 404, lake.get_blob_client("bad").get_block_list)


def raw(method, path, body, headers):
    """What the library has no parameter for, through its own pipeline and signature."""
    from azure.core.rest import HttpRequest
    request = HttpRequest(method, url + path, content=body, headers={"x-ms-version": "2021-12-02", **headers})
    response = service._client._client._pipeline.run(request).http_response
    if response.status_code >= 400:
        from azure.storage.blob._shared.response_handlers import process_storage_error
        error = HttpResponseError(response=response)
        process_storage_error(error)
    return response


def test_large_upload():
    body = os.urandom(20 * MIB + 17)
    chunked = make_service(max_single_put_size=4 * MIB, max_block_size=4 * MIB, max_chunk_get_size=4 * MIB,
                           max_single_get_size=4 * MIB).get_blob_client("lake", "large")
    chunked.upload_blob(io.BytesIO(body), max_concurrency=4)
    assert chunked.download_blob(max_concurrency=4).readall() == body
    assert len(chunked.get_block_list()[0]) == 6


def test_metadata_and_properties():
    blob = lake.upload_blob("described", b"x" * 10, metadata={"a": "1"}, overwrite=True)
    before = blob.get_blob_properties()
    blob.set_blob_metadata({"b": "2"})
    after = blob.get_blob_properties()
    assert after.metadata == {"b": "2"} and after.etag != before.etag
    blob.set_http_headers(ContentSettings(content_type="text/x"))
    assert blob.get_blob_properties().content_settings.content_type == "text/x"
    assert blob.download_blob().readall() == b"x" * 10


def test_copy():
    source = lake.upload_blob("from", b"bytes", metadata={"a": "1"}, overwrite=True)
    target = lake.get_blob_client("to")
    assert target.start_copy_from_url(source.url)["copy_status"] == "success"
    assert target.download_blob().readall() == b"bytes" and target.get_blob_properties().metadata == {"a": "1"}
    fails(ResourceNotFoundError, "BlobNotFound", 404, target.start_copy_from_url, lake.get_blob_client("never").url)
    fails(ResourceNotFoundError, "CannotVerifyCopySource", 404, target.start_copy_from_url, "http://127.0.0.1:9/else/x/y")


def test_signatures():
    wrong = make_service(base64.b64encode(b"wrong" * 10).decode())
    e = fails(ClientAuthenticationError, "AuthenticationFailed", 403, wrong.create_container, "w")
    assert "Authorization" in str(e)
    fails(ClientAuthenticationError, "AuthenticationFailed", 403, wrong.get_blob_client("lake", "w").upload_blob, b"1")
    fails(ResourceNotFoundError, "BlobNotFound", 404, lake.download_blob, "missing")
    e = fails(ResourceNotFoundError, "BlobNotFound", 404, lake.get_blob_client("missing").get_blob_properties)
    assert not lake.get_blob_client("w").exists()
    fails(HttpResponseError, "NotImplemented", 501, lake.get_blob_client("described").create_snapshot)
    fails(HttpResponseError, "NotImplemented", 501, lake.get_blob_client("p").create_append_blob)


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
