# SPDX-License-Identifier: Apache-2.0
"""azure-keyvault-keys and azure-keyvault-secrets, unmodified, against a pocket cloud: only the address, the CA and the credentials are its
own."""
import hashlib
import json
import os
import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm, SignatureAlgorithm
from azure.keyvault.secrets import SecretClient

url, credentials_file, ca = sys.argv[1:4]
with open(credentials_file) as f:
    info = json.load(f)


class Owner:
    """The app of the pocket's credentials; what it is asked for shows that the challenge was followed."""
    def __init__(self, token=None):
        self.token, self.asked = token, []
        self.app = ClientSecretCredential(
            info["tenant"], info["client_id"], info["client_secret"], authority=url.split("://")[1], connection_verify=ca,
            disable_instance_discovery=True)

    def get_token(self, *scopes, **kwargs):
        self.asked.append((scopes, kwargs.get("tenant_id")))
        if self.token:
            return AccessToken(self.token, int(time.time()) + 3600)
        return self.app.get_token(*scopes)


owner = Owner()
more = {"connection_verify": ca, "verify_challenge_resource": False, "retry_total": 0}
keys = KeyClient(url, owner, **more)
secrets = SecretClient(url, owner, **more)


def fails(error, code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as e:
        assert type(e) is error, (type(e), e)
        assert e.error.code == code, (e.error.code, code)
        return e
    raise AssertionError(f"{call} should have failed with {error}")


def test_keys():
    key = keys.create_rsa_key("lake", size=2048, tags={"team": "a"})
    assert key.name == "lake" and key.key_type == "RSA" and len(key.key.n) == 256 and key.properties.tags == {"team": "a"}
    assert owner.asked[0][0] == ("https://vault.azure.net/.default",), owner.asked
    assert keys.get_key("lake").id == key.id and key.properties.version in key.id
    again = keys.rotate_key("lake")
    assert again.id != key.id and keys.get_key("lake").id == again.id
    assert keys.get_key("lake", key.properties.version).key.n == key.key.n
    assert sorted(v.version for v in keys.list_properties_of_key_versions("lake")) == sorted(
        [key.properties.version, again.properties.version])
    changed = keys.update_key_properties("lake", enabled=False, tags={"b": "c"})
    assert changed.properties.enabled is False and changed.properties.tags == {"b": "c"}
    fails(ResourceNotFoundError, "KeyNotFound", keys.get_key, "none")
    fails(HttpResponseError, "BadParameter", keys.create_rsa_key, "odd", size=2000)
    fails(HttpResponseError, "BadParameter", keys.create_ec_key, "curve")
    for i in range(2):
        keys.create_rsa_key(f"page{i:02}")
    assert [k.name for k in keys.list_properties_of_keys()] == ["lake"] + [f"page{i:02}" for i in range(2)]


def test_crypto():
    key = keys.create_rsa_key("wraps", size=2048)
    remote = CryptographyClient(key, owner, **more)
    for algorithm in (KeyWrapAlgorithm.rsa_oaep, KeyWrapAlgorithm.rsa_oaep_256):
        wrapped = remote.wrap_key(algorithm, bytes(range(32)))
        assert remote.unwrap_key(algorithm, wrapped.encrypted_key).key == bytes(range(32))
    sealed = remote.encrypt(EncryptionAlgorithm.rsa_oaep_256, b"text")
    assert remote.decrypt(EncryptionAlgorithm.rsa_oaep_256, sealed.ciphertext).plaintext == b"text"
    # Without the public half at hand the service does it all: by the id alone, that is.
    by_id = CryptographyClient(key.id, owner, **more)
    assert by_id.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key).key == bytes(range(32))
    digest = hashlib.sha256(b"message").digest()
    for algorithm in (SignatureAlgorithm.rs256, SignatureAlgorithm.ps256):
        signature = remote.sign(algorithm, digest).signature
        assert remote.verify(algorithm, digest, signature).is_valid
    fails(HttpResponseError, "BadParameter", remote.unwrap_key, KeyWrapAlgorithm.rsa_oaep_256, b"x" * 256)
    keys.update_key_properties("wraps", enabled=False)
    e = fails(HttpResponseError, "Forbidden", remote.unwrap_key, KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key)
    assert e.status_code == 403 and "disabled" in e.message
    only = keys.create_rsa_key("only-wraps", key_operations=["wrapKey", "unwrapKey"])
    fails(HttpResponseError, "Forbidden", CryptographyClient(only.id, owner, **more).sign, SignatureAlgorithm.rs256, digest)


def test_deleted_keys():
    first = keys.create_rsa_key("gone")
    poller = keys.begin_delete_key("gone")
    assert poller.result().name == "gone"
    poller.wait()
    fails(ResourceNotFoundError, "KeyNotFound", keys.get_key, "gone")
    fails(ResourceExistsError, "Conflict", keys.create_rsa_key, "gone")
    assert [k.name for k in keys.list_deleted_keys()] == ["gone"]
    back = keys.begin_recover_deleted_key("gone")
    back.wait()
    assert keys.get_key("gone").id == first.id
    keys.begin_delete_key("gone").wait()
    keys.purge_deleted_key("gone")
    fails(ResourceNotFoundError, "KeyNotFound", keys.get_deleted_key, "gone")
    assert keys.create_rsa_key("gone").id != first.id


def test_secrets():
    one = secrets.set_secret("token", "hunter2", tags={"a": "b"}, content_type="text/plain")
    two = secrets.set_secret("token", "h\u00fcnter3")
    assert secrets.get_secret("token").value == "h\u00fcnter3" and secrets.get_secret("token").properties.version == two.properties.version
    got = secrets.get_secret("token", one.properties.version)
    assert got.value == "hunter2" and got.properties.tags == {"a": "b"} and got.properties.content_type == "text/plain"
    assert len(list(secrets.list_properties_of_secret_versions("token"))) == 2
    secrets.update_secret_properties("token", one.properties.version, enabled=False)
    fails(HttpResponseError, "Forbidden", secrets.get_secret, "token", one.properties.version)
    fails(ResourceNotFoundError, "SecretNotFound", secrets.get_secret, "none")
    fails(HttpResponseError, "BadParameter", secrets.set_secret, "no_underscores", "x")
    for i in range(30):
        secrets.set_secret(f"page{i:02}", "x")
    assert [s.name for s in secrets.list_properties_of_secrets()] == [f"page{i:02}" for i in range(30)] + ["token"]
    secrets.begin_delete_secret("token").wait()
    fails(ResourceNotFoundError, "SecretNotFound", secrets.get_secret, "token")
    fails(ResourceExistsError, "Conflict", secrets.set_secret, "token", "x")
    secrets.begin_recover_deleted_secret("token").wait()
    assert secrets.get_secret("token").value == "h\u00fcnter3"
    for folder, _, files in os.walk(os.path.join(os.path.dirname(credentials_file), "docs")):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                assert b"hunter2" not in f.read()


def test_refused():
    e = fails(ClientAuthenticationError, "Unauthorized", KeyClient(url, Owner("wrong"), **more).get_key, "lake")
    assert "Bearer authorization=" in e.response.headers["WWW-Authenticate"]


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 5 or name == sys.argv[4]):
        test()
        print("ok", name)
