# SPDX-License-Identifier: Apache-2.0
"""google-cloud-kms and google-cloud-secret-manager, unmodified, against a pocket cloud over REST: only the address and the credentials are
its own."""
import base64
import datetime
import json
import os
import sys

import google.auth.credentials
import google_crc32c
from google.api_core import exceptions
from google.cloud import kms_v1, secretmanager_v1
from google.iam.v1 import iam_policy_pb2
from google.oauth2 import service_account
from google.protobuf import duration_pb2, field_mask_pb2, timestamp_pb2

url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    info = json.load(f)
project = "projects/" + info["project_id"]
place = project + "/locations/europe-west4"


def make_client(kind, changes=None):
    credentials = service_account.Credentials.from_service_account_info(
        {**info, **(changes or {})}, scopes=["https://www.googleapis.com/auth/cloud-platform"])
    return kind(credentials=credentials, transport="rest", client_options={"api_endpoint": url})


kms = make_client(kms_v1.KeyManagementServiceClient)
secrets = make_client(secretmanager_v1.SecretManagerServiceClient)
Version = kms_v1.CryptoKeyVersion.CryptoKeyVersionState
State = secretmanager_v1.SecretVersion.State


def fails(error, message, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as e:
        assert type(e) is error, (type(e), e)
        assert message in str(e), (message, str(e))
        return e
    raise AssertionError(f"{call} should have failed with {error}")


def crc(data):
    return google_crc32c.value(data)


def make_key(name, **more):
    return kms.create_crypto_key(parent=ring.name, crypto_key_id=name, crypto_key=kms_v1.CryptoKey(
        purpose=kms_v1.CryptoKey.CryptoKeyPurpose.ENCRYPT_DECRYPT, **more))


def test_rings():
    assert kms.get_key_ring(name=ring.name).create_time == ring.create_time
    fails(exceptions.Conflict, "already exists", kms.create_key_ring, parent=place, key_ring_id="ring")
    fails(exceptions.NotFound, "not found", kms.get_key_ring, name=place + "/keyRings/none")
    fails(exceptions.BadRequest, "does not match", kms.create_key_ring, parent=place, key_ring_id="no.dots")
    for i in range(5):
        kms.create_key_ring(parent=place, key_ring_id=f"more{i}")
    pages = list(kms.list_key_rings(request={"parent": place, "page_size": 2}).pages)
    assert len(pages) == 3 and pages[0].total_size == 6
    assert [r.name.rsplit("/", 1)[1] for p in pages for r in p.key_rings] == ["more0", "more1", "more2", "more3", "more4", "ring"]


def test_wrap():
    key = make_key("wraps", labels={"team": "lake"})
    assert key.primary.state == Version.ENABLED and key.labels == {"team": "lake"}
    plain, aad = bytes(range(32)), b"bucket/lake on gcp-eu"
    sealed = kms.encrypt(request={"name": key.name, "plaintext": plain, "additional_authenticated_data": aad,
                                  "plaintext_crc32c": crc(plain), "additional_authenticated_data_crc32c": crc(aad)})
    assert sealed.verified_plaintext_crc32c and sealed.verified_additional_authenticated_data_crc32c
    assert sealed.ciphertext_crc32c == crc(sealed.ciphertext) and sealed.name == key.name + "/cryptoKeyVersions/1"
    opened = kms.decrypt(request={"name": key.name, "ciphertext": sealed.ciphertext, "additional_authenticated_data": aad,
                                  "ciphertext_crc32c": crc(sealed.ciphertext)})
    assert opened.plaintext == plain and opened.plaintext_crc32c == crc(plain) and opened.used_primary
    fails(exceptions.BadRequest, "Decryption failed", kms.decrypt, name=key.name, ciphertext=sealed.ciphertext)
    fails(exceptions.BadRequest, "Decryption failed", kms.decrypt, request={
        "name": key.name, "ciphertext": sealed.ciphertext[:-1] + b"x", "additional_authenticated_data": aad})
    fails(exceptions.BadRequest, "plaintextCrc32c", kms.encrypt, request={
        "name": key.name, "plaintext": plain, "plaintext_crc32c": 1})
    fails(exceptions.NotFound, "not found", kms.encrypt, name=ring.name + "/cryptoKeys/none", plaintext=plain)
    fails(exceptions.Conflict, "already exists", make_key, "wraps")
    other = make_key("other")
    fails(exceptions.BadRequest, "Decryption failed", kms.decrypt, request={
        "name": other.name, "ciphertext": sealed.ciphertext, "additional_authenticated_data": aad})


def test_rotation():
    key = make_key("rotates")
    first = kms.encrypt(name=key.name, plaintext=b"one").ciphertext
    version = kms.create_crypto_key_version(parent=key.name, crypto_key_version={})
    assert version.name.endswith("/2") and version.state == Version.ENABLED
    assert kms.get_crypto_key(name=key.name).primary.name.endswith("/1")
    key = kms.update_crypto_key_primary_version(name=key.name, crypto_key_version_id="2")
    assert key.primary.name == version.name
    second = kms.encrypt(name=key.name, plaintext=b"two")
    assert second.name == version.name
    old = kms.decrypt(name=key.name, ciphertext=first)
    assert old.plaintext == b"one" and not old.used_primary
    assert [v.name[-2:] for v in kms.list_crypto_key_versions(parent=key.name)] == ["/1", "/2"]
    # What a key whose rotation is due does by itself.
    soon = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(soon)
    due = make_key("due", rotation_period=duration_pb2.Duration(seconds=90 * 86400), next_rotation_time=stamp)
    due = kms.get_crypto_key(name=due.name)
    assert due.primary.name.endswith("/2") and due.rotation_period.days == 90


def test_states():
    key = make_key("states")
    sealed = kms.encrypt(name=key.name, plaintext=b"x").ciphertext
    name = key.primary.name
    mask = field_mask_pb2.FieldMask(paths=["state"])
    kms.update_crypto_key_version(crypto_key_version={"name": name, "state": Version.DISABLED}, update_mask=mask)
    fails(exceptions.BadRequest, "is not enabled, current state is: DISABLED", kms.encrypt, name=key.name, plaintext=b"x")
    fails(exceptions.BadRequest, "is not enabled", kms.decrypt, name=key.name, ciphertext=sealed)
    kms.update_crypto_key_version(crypto_key_version={"name": name, "state": Version.ENABLED}, update_mask=mask)
    assert kms.decrypt(name=key.name, ciphertext=sealed).plaintext == b"x"
    gone = kms.destroy_crypto_key_version(name=name)
    assert gone.state == Version.DESTROY_SCHEDULED and gone.destroy_time
    fails(exceptions.BadRequest, "DESTROY_SCHEDULED", kms.decrypt, name=key.name, ciphertext=sealed)
    fails(exceptions.BadRequest, "current state is", kms.destroy_crypto_key_version, name=name)
    assert kms.restore_crypto_key_version(name=name).state == Version.DISABLED
    fails(exceptions.NotFound, "not found", kms.get_crypto_key_version, name=key.name + "/cryptoKeyVersions/7")


def test_policy():
    key = make_key("policy")
    policy = kms.get_iam_policy(request=iam_policy_pb2.GetIamPolicyRequest(resource=key.name))
    assert not policy.bindings and policy.etag
    policy.bindings.add(role="roles/cloudkms.cryptoKeyDecrypter", members=["serviceAccount:job@p.iam.gserviceaccount.com"])
    new = kms.set_iam_policy(request=iam_policy_pb2.SetIamPolicyRequest(resource=key.name, policy=policy))
    assert new.bindings[0].members == ["serviceAccount:job@p.iam.gserviceaccount.com"] and new.etag != policy.etag
    fails(exceptions.Conflict, "concurrent policy changes", kms.set_iam_policy,
          request=iam_policy_pb2.SetIamPolicyRequest(resource=key.name, policy=policy))


def test_secrets():
    secret = secrets.create_secret(parent=project, secret_id="token", secret={"replication": {"automatic": {}}, "labels": {"a": "b"}})
    assert secret.name == project + "/secrets/token" and secret.labels == {"a": "b"}
    fails(exceptions.Conflict, "already exists", secrets.create_secret, parent=project, secret_id="token",
          secret={"replication": {"automatic": {}}})
    fails(exceptions.NotFound, "not found", secrets.access_secret_version, name=secret.name + "/versions/latest")
    one = secrets.add_secret_version(parent=secret.name, payload={"data": b"hunter2", "data_crc32c": crc(b"hunter2")})
    assert one.name == secret.name + "/versions/1" and one.state == State.ENABLED
    fails(exceptions.BadRequest, "dataCrc32c", secrets.add_secret_version, parent=secret.name,
          payload={"data": b"x", "data_crc32c": 5})
    secrets.add_secret_version(parent=secret.name, payload={"data": b"hunter3"})
    got = secrets.access_secret_version(name=secret.name + "/versions/latest")
    assert got.payload.data == b"hunter3" and got.payload.data_crc32c == crc(b"hunter3") and got.name.endswith("/2")
    assert secrets.access_secret_version(name=one.name).payload.data == b"hunter2"
    secrets.disable_secret_version(name=one.name)
    fails(exceptions.BadRequest, "is in DISABLED state", secrets.access_secret_version, name=one.name)
    secrets.enable_secret_version(name=one.name)
    secrets.destroy_secret_version(name=one.name)
    fails(exceptions.BadRequest, "is in DESTROYED state", secrets.enable_secret_version, name=one.name)
    assert [v.state for v in secrets.list_secret_versions(parent=secret.name)] == [State.DESTROYED, State.ENABLED]
    for i in range(4):
        secrets.create_secret(parent=project, secret_id=f"more{i}", secret={"replication": {"automatic": {}}})
    pages = list(secrets.list_secrets(request={"parent": project, "page_size": 2}).pages)
    assert len(pages) == 3 and [s.name for p in pages for s in p.secrets][-1] == secret.name
    secrets.delete_secret(name=secret.name)
    fails(exceptions.NotFound, "not found", secrets.get_secret, name=secret.name)
    # What lies on the disk is sealed.
    secrets.add_secret_version(parent=project + "/secrets/more0", payload={"data": b"plain text of a secret"})
    for folder, _, files in os.walk(os.path.join(os.path.dirname(credentials_file), "docs")):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                assert base64.b64encode(b"plain text of a secret")[:20] not in f.read()


def test_refused():
    class Token(google.auth.credentials.Credentials):
        def __init__(self, token):
            super().__init__()
            self.token = token

        def refresh(self, request):
            pass

        @property
        def valid(self):
            return True
    other = kms_v1.KeyManagementServiceClient(credentials=Token("ya29.wrong"), transport="rest", client_options={"api_endpoint": url})
    e = fails(exceptions.Unauthorized, "invalid authentication credentials", other.get_key_ring, name=ring.name)
    assert e.code == 401


ring = kms.create_key_ring(parent=place, key_ring_id="ring")
for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
