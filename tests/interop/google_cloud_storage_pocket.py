# SPDX-License-Identifier: Apache-2.0
"""google-cloud-storage, unmodified, against a pocket cloud: only the address and the credentials are its own."""
import base64
import hashlib
import io
import json
import os
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from google.oauth2 import service_account

MIB = 1 << 20
url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    info = json.load(f)
assert info["token_uri"] == url + "/token"
SCOPES = ["https://www.googleapis.com/auth/devstorage.full_control"]


def make_client(changes=None):
    credentials = service_account.Credentials.from_service_account_info({**info, **(changes or {})})
    return storage.Client(project=info["project_id"], credentials=credentials, client_options={"api_endpoint": url})


client = make_client()
session = AuthorizedSession(service_account.Credentials.from_service_account_info(info, scopes=SCOPES))
lake = client.create_bucket("lake", location="europe-west4")


def fails(error, message, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as e:
        assert type(e) is error, (type(e), e)
        assert message in str(e), (message, str(e))
        return e
    raise AssertionError(f"{call} should have failed with {error}")


def test_buckets():
    first = client.create_bucket("first")
    fails(exceptions.Conflict, "you already own it", client.create_bucket, "first")
    fails(exceptions.BadRequest, "Invalid bucket name", client.create_bucket, "No_Capitals", predefined_acl=None)
    assert [b.name for b in client.list_buckets()] == ["first", "lake"]
    assert [b.name for b in client.list_buckets(prefix="la")] == ["lake"]
    assert [b.name for b in client.list_buckets(page_size=1)] == ["first", "lake"]
    assert client.get_bucket("lake").location == "europe-west4".upper() or client.get_bucket("lake").location == "europe-west4"
    first.blob("x").upload_from_string(b"1")
    fails(exceptions.Conflict, "not empty", first.delete)
    first.blob("x").delete()
    first.delete()
    assert not first.exists()
    fails(exceptions.NotFound, "bucket does not exist", client.get_bucket, "first")
    fails(exceptions.NotFound, "bucket does not exist", first.blob("x").upload_from_string, b"1")


def test_put_get():
    body = os.urandom(300_000)
    blob = lake.blob("a/b c+d.bin")
    blob.metadata = {"who": "me", "\u00fcml": "\u00e4ut"}
    blob.cache_control = "no-cache"
    blob.upload_from_string(body, content_type="image/png", checksum="md5")
    assert blob.download_as_bytes() == body
    assert blob.download_as_bytes(checksum="crc32c") == body
    fresh = lake.get_blob("a/b c+d.bin")
    assert fresh.size == len(body) and fresh.metadata == {"who": "me", "\u00fcml": "\u00e4ut"}
    assert fresh.content_type == "image/png" and fresh.cache_control == "no-cache"
    assert fresh.md5_hash == base64.b64encode(hashlib.md5(body).digest()).decode()
    assert fresh.generation and fresh.metageneration == 1 and fresh.etag and fresh.crc32c and fresh.time_created
    lake.blob("empty").upload_from_string(b"")
    assert lake.blob("empty").download_as_bytes() == b""
    assert lake.get_blob("missing") is None and not lake.blob("missing").exists()


def test_ranges():
    blob = lake.blob("digits")
    blob.upload_from_string(b"0123456789")
    assert blob.download_as_bytes(start=2, end=4) == b"234"
    assert blob.download_as_bytes(start=7) == b"789"
    assert blob.download_as_bytes(start=-3) == b"789"
    assert blob.download_as_bytes(start=5, end=99) == b"56789"
    fails(exceptions.RequestRangeNotSatisfiable, "", blob.download_as_bytes, start=10)


def test_odd_names():
    names = ["../../etc/passwd", "a//b", "/lead", "trail/", "q?x=1&y=2", "h\u00e9\u00df/\U0001f600", "a%2fb", "plus+", ".", "x" * 1024]
    for name in names:
        lake.blob("odd/" + name if len(name) < 1000 else name).upload_from_string(name.encode())
    listed = [b.name for b in lake.list_blobs(prefix="odd/")]
    assert listed == sorted(listed, key=lambda k: k.encode()) and len(listed) == 9
    for name in listed:
        assert lake.blob(name).download_as_bytes() == name[4:].encode()
    fails(exceptions.BadRequest, "Invalid object name", lake.blob("x" * 1025).upload_from_string, b"1")


def test_listing():
    many = client.create_bucket("many")
    names = [f"d{i % 7}/f{i:03d}" for i in range(60)] + ["root1", "root2"]
    for name in names:
        many.blob(name).upload_from_string(b"x")
    pages = [[b.name for b in page] for page in many.list_blobs(page_size=9).pages]
    assert len(pages) == 7 and [n for p in pages for n in p] == sorted(names)
    found = many.list_blobs(delimiter="/", page_size=2)
    assert [b.name for b in found] == ["root1", "root2"]
    assert sorted(found.prefixes) == [f"d{i}/" for i in range(7)]
    assert [b.name for b in many.list_blobs(start_offset="d6/f055", end_offset="root2")] == ["d6/f055", "root1"]
    assert list(many.list_blobs(prefix="none")) == []
    many.delete(force=True)


def test_conditions():
    blob = lake.blob("once")
    blob.upload_from_string(b"1", if_generation_match=0)
    first = blob.generation
    fails(exceptions.PreconditionFailed, "pre-conditions", lake.blob("once").upload_from_string, b"2", if_generation_match=0)
    blob.upload_from_string(b"2", if_generation_match=first)
    assert blob.generation > first
    fails(exceptions.PreconditionFailed, "pre-conditions", lake.blob("once").upload_from_string, b"3", if_generation_match=first)
    fails(exceptions.PreconditionFailed, "pre-conditions", lake.blob("never").upload_from_string, b"3", if_generation_match=first)
    assert lake.blob("once").download_as_bytes(if_generation_match=blob.generation) == b"2"
    fails(exceptions.PreconditionFailed, "", lake.blob("once").download_as_bytes, if_generation_match=first)
    fails(exceptions.NotModified, "", lake.blob("once").reload, if_generation_not_match=blob.generation)
    fails(exceptions.NotFound, "No such object", lake.blob("once", generation=first).download_as_bytes)
    fails(exceptions.PreconditionFailed, "", lake.blob("once").delete, if_generation_match=first)
    lake.blob("once").delete(if_generation_match=blob.generation)
    fails(exceptions.NotFound, "No such object", lake.blob("once").delete)


def test_metadata():
    blob = lake.blob("described")
    blob.upload_from_string(b"x", content_type="text/a")
    blob.metadata = {"a": "1", "b": "2"}
    blob.patch()
    assert blob.metageneration == 2
    blob.metadata = {"a": None}
    blob.content_type = "text/b"
    blob.patch(if_metageneration_match=2)
    fresh = lake.get_blob("described")
    assert fresh.metadata == {"b": "2"} and fresh.content_type == "text/b" and fresh.metageneration == 3
    assert fresh.generation == blob.generation and fresh.download_as_bytes() == b"x"
    fails(exceptions.PreconditionFailed, "", blob.patch, if_metageneration_match=2)


def test_checksums():
    def upload(name, resource, body=b"123456789"):
        text = json.dumps({"name": name, **resource}).encode()
        data = (b"--B\r\nContent-Type: application/json\r\n\r\n" + text + b"\r\n--B\r\nContent-Type: text/x\r\n\r\n" + body + b"\r\n--B--")
        return session.post(url + "/upload/storage/v1/b/lake/o?uploadType=multipart", data=data,
                            headers={"Content-Type": "multipart/related; boundary=B"})
    right = {"crc32c": "4waSgw==", "md5Hash": base64.b64encode(hashlib.md5(b"123456789").digest()).decode()}
    made = upload("sum", right)
    assert made.status_code == 200 and made.json()["crc32c"] == "4waSgw==" and made.json()["contentType"] == "text/x"
    for wrong in ({"crc32c": "AAAAAA=="}, {"md5Hash": base64.b64encode(bytes(16)).decode()}):
        answer = upload("sum2", wrong)
        assert answer.status_code == 400 and "doesn't match" in answer.json()["error"]["message"], answer.text
    assert not lake.blob("sum2").exists()
    got = session.get(url + "/storage/v1/b/lake/o/sum?alt=media")
    assert got.headers["x-goog-hash"] == "crc32c=4waSgw==,md5=" + right["md5Hash"] and got.content == b"123456789"
    media = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=media&name=sum3", data=b"123456789",
                         headers={"X-Goog-Hash": "crc32c=4waSgw=="})
    assert media.status_code == 200
    media = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=media&name=sum4", data=b"123456789",
                         headers={"X-Goog-Hash": "crc32c=AAAAAA=="})
    assert media.status_code == 400
    for cut in (1, 5, 20):
        answer = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=multipart", data=b"--B\r\n\r\n{}\r\n--B\r\n\r\nx\r\n--B--"[:-cut],
                              headers={"Content-Type": "multipart/related; boundary=B"})
        assert answer.status_code == 400, answer.text


def test_resumable():
    body = os.urandom(MIB + 17)
    blob = lake.blob("resumed", chunk_size=256 << 10)
    blob.upload_from_file(io.BytesIO(body), content_type="x/y", if_generation_match=0, checksum="crc32c")
    assert blob.download_as_bytes() == body and blob.content_type == "x/y"
    fails(exceptions.PreconditionFailed, "", lake.blob("resumed", chunk_size=256 << 10).upload_from_file, io.BytesIO(body),
          if_generation_match=0)
    # By hand: questions, repeats, a wrong offset, an odd size, the end asked for twice.
    start = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=resumable&name=byhand", json={"metadata": {"k": "v"}})
    place = start.headers["location"]

    def put(data, content_range):
        return session.put(place, data=data, headers={"Content-Range": content_range} if content_range else {})
    asked = put(b"", "bytes */*")
    assert asked.status_code == 308 and "range" not in asked.headers
    chunk = 256 << 10
    sent = put(body[:chunk], f"bytes 0-{chunk - 1}/*")
    assert sent.status_code == 308 and sent.headers["range"] == f"bytes=0-{chunk - 1}"
    assert put(b"xyz", "bytes 999999-1000001/1000002").status_code == 400
    assert put(body[chunk:chunk + 100], f"bytes {chunk}-{chunk + 99}/*").status_code == 400
    assert put(b"", f"bytes */{len(body)}").headers["range"] == f"bytes=0-{chunk - 1}"
    sent = put(body[:2 * chunk], f"bytes 0-{2 * chunk - 1}/{len(body)}")  # the first half again
    assert sent.status_code == 308 and sent.headers["range"] == f"bytes=0-{2 * chunk - 1}"
    done = put(body[2 * chunk:], f"bytes {2 * chunk}-{len(body) - 1}/{len(body)}")
    assert done.status_code == 200 and done.json()["size"] == str(len(body))
    again = put(b"", f"bytes */{len(body)}")
    assert again.status_code == 200 and again.json()["generation"] == done.json()["generation"]
    got = lake.get_blob("byhand")
    assert got.download_as_bytes() == body and got.metadata == {"k": "v"}
    place = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=resumable&name=cancelled").headers["location"]
    assert session.delete(place).status_code == 499
    assert put(b"x", "bytes 0-0/1").status_code == 404
    place = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=resumable&name=wrong", json={"crc32c": "AAAAAA=="}).headers["location"]
    assert put(b"123456789", None).status_code == 400
    assert not lake.blob("wrong").exists()
    place = session.post(url + "/upload/storage/v1/b/lake/o?uploadType=resumable&name=nothing").headers["location"]
    assert put(b"", "bytes */0").status_code == 200


def test_large():
    body = os.urandom(20 * MIB + 17)
    lake.blob("large").upload_from_file(io.BytesIO(body))
    assert lake.blob("large").download_as_bytes() == body


def test_compose_and_copy():
    for n in range(3):
        lake.blob(f"part{n}").upload_from_string(b"%d" % n * 10)
    whole = lake.blob("whole")
    whole.content_type = "x/whole"
    whole.compose([lake.blob(f"part{n}") for n in range(3)])
    assert whole.download_as_bytes() == b"0" * 10 + b"1" * 10 + b"2" * 10
    fresh = lake.get_blob("whole")
    assert fresh.md5_hash is None and fresh.crc32c and fresh.component_count == 3
    fails(exceptions.NotFound, "not found", whole.compose, [lake.blob("never")])
    fails(exceptions.PreconditionFailed, "", whole.compose, [lake.blob("part0")], if_generation_match=0)
    copied = lake.copy_blob(lake.blob("whole"), lake, "copied")
    assert copied.download_as_bytes() == whole.download_as_bytes() and lake.get_blob("copied").content_type == "x/whole"
    rewritten = lake.blob("rewritten")
    assert rewritten.rewrite(lake.blob("part1"))[0] is None
    assert rewritten.download_as_bytes() == b"1" * 10
    fails(exceptions.NotFound, "No such object", rewritten.rewrite, lake.blob("never"))


def test_credentials():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    e = fails(RefreshError, "invalid_grant", lambda: list(make_client({"private_key": key}).list_buckets()))
    assert "signature" in str(e)
    fails(RefreshError, "invalid_grant", lambda: list(make_client({"client_email": "other@x.iam.gserviceaccount.com"}).list_buckets()))
    fails(exceptions.NotFound, "No such object", lake.blob("missing").download_as_bytes)
    fails(exceptions.NotFound, "No such object", lake.blob("missing").reload)
    import requests
    answer = requests.get(url + "/storage/v1/b")
    assert answer.status_code == 401 and answer.json()["error"]["errors"][0]["reason"] == "authError"
    answer = requests.get(url + "/storage/v1/b", headers={"Authorization": "Bearer ya29.AAAA"})
    assert answer.status_code == 401 and answer.json()["error"]["message"] == "Invalid Credentials"
    reader = AuthorizedSession(service_account.Credentials.from_service_account_info(
        info, scopes=["https://www.googleapis.com/auth/devstorage.read_only"]))
    assert reader.get(url + "/storage/v1/b").status_code == 200
    assert reader.post(url + "/storage/v1/b", json={"name": "readers"}).status_code == 403


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
