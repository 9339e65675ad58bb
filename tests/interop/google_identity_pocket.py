# SPDX-License-Identifier: Apache-2.0
"""google-auth, unmodified, against a pocket cloud: service accounts, impersonation, workload identity federation, and what
policies let them do."""
import base64
import json
import os
import subprocess
import sys
import time

import google.auth
from google.auth import identity_pool, impersonated_credentials
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import storage
from google.oauth2 import service_account

url, credentials_file = sys.argv[1:3]
root = os.path.dirname(credentials_file)
with open(credentials_file) as f:
    info = json.load(f)
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
project = info["project_id"]
owner = service_account.Credentials.from_service_account_info(info, scopes=[SCOPE])
session = AuthorizedSession(owner)


def call(method, path, body=None, status=200, by=session):
    answer = by.request(method, url + path, json=body)
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.json()


def bind(role, member, of=f"/v1/projects/{project}"):
    policy = call("POST", of + ":getIamPolicy", {})
    policy.setdefault("bindings", []).append({"role": role, "members": [member]})
    return call("POST", of + ":setIamPolicy", {"policy": policy})


def store(credentials):
    return storage.Client(project=project, credentials=credentials, client_options={"api_endpoint": url})


def impersonate(email, source=owner):
    credentials = impersonated_credentials.Credentials(source, email, [SCOPE], lifetime=600,
                                                       iam_endpoint_override=f"{url}/v1/projects/-/serviceAccounts/{email}:generateAccessToken")
    return credentials


reader = f"reader@{project}.iam.gserviceaccount.com"
lake = store(owner).create_bucket("lake", location="europe-west4")
lake.blob("a").upload_from_string(b"hello")


def test_accounts():
    made = call("POST", f"/v1/projects/{project}/serviceAccounts", {"accountId": "reader", "serviceAccount": {"displayName": "Reads"}})
    assert made["email"] == reader and made["displayName"] == "Reads", made
    error = call("POST", f"/v1/projects/{project}/serviceAccounts", {"accountId": "reader"}, 409)["error"]
    assert error["status"] == "ALREADY_EXISTS", error
    assert call("POST", f"/v1/projects/{project}/serviceAccounts", {"accountId": "x"}, 400)["error"]["status"] == "INVALID_ARGUMENT"
    emails = [a["email"] for a in call("GET", f"/v1/projects/{project}/serviceAccounts")["accounts"]]
    assert emails == [f"isobar-jobs@{project}.iam.gserviceaccount.com", reader], emails
    assert call("GET", f"/v1/projects/-/serviceAccounts/nobody@{project}.iam.gserviceaccount.com", status=404)


def test_impersonation():
    credentials = impersonate(reader)
    credentials.refresh(Request())
    left = credentials.expiry.timestamp() - time.time() if credentials.expiry.tzinfo else (
        credentials.expiry - __import__("datetime").datetime.utcnow()).total_seconds()
    assert 580 < left <= 601, left
    bucket = store(credentials).bucket("lake")
    try:
        bucket.blob("a").download_as_bytes()
        raise AssertionError("nobody granted it")
    except google.api_core.exceptions.Forbidden as e:
        assert "storage.objects.get" in str(e) and reader in str(e), e
    bind("roles/storage.objectViewer", "serviceAccount:" + reader)
    assert bucket.blob("a").download_as_bytes() == b"hello"
    assert bucket.test_iam_permissions(["storage.objects.get", "storage.objects.create"]) == ["storage.objects.get"]
    try:
        bucket.blob("b").upload_from_string(b"x")
        raise AssertionError("nobody granted it")
    except google.api_core.exceptions.Forbidden as e:
        assert "storage.objects.create" in str(e), e
    by = AuthorizedSession(credentials)
    assert call("GET", f"/v1/projects/{project}/serviceAccounts", status=403, by=by)["error"]["status"] == "PERMISSION_DENIED"
    assert call("GET", f"/v1/projects/{project}/locations/europe-west4/customJobs", status=403, by=by)["error"]["status"] == "PERMISSION_DENIED"
    # who may not be another
    other = impersonate(f"isobar-jobs@{project}.iam.gserviceaccount.com", credentials)
    try:
        other.refresh(Request())
        raise AssertionError("it may not")
    except RefreshError as e:
        assert "getAccessToken" in str(e), e
    bind("roles/iam.serviceAccountTokenCreator", "serviceAccount:" + reader,
         f"/v1/projects/{project}/serviceAccounts/isobar-jobs@{project}.iam.gserviceaccount.com")
    other.refresh(Request())
    store(other).bucket("lake").blob("c").upload_from_string(b"by jobs")


def test_policies():
    policy = call("POST", f"/v1/projects/{project}:getIamPolicy", {})
    call("POST", f"/v3/projects/{project}:setIamPolicy", {"policy": {**policy, "bindings": policy["bindings"] + [
        {"role": "roles/viewer", "members": ["serviceAccount:" + reader]}]}})
    error = call("POST", f"/v1/projects/{project}:setIamPolicy", {"policy": policy}, 409)["error"]
    assert error["status"] == "ABORTED", error
    call("POST", f"/v1/projects/{project}/roles", {"roleId": "writer", "role": {
        "title": "Writer", "includedPermissions": ["storage.objects.create", "storage.objects.delete"]}})
    bind(f"projects/{project}/roles/writer", "serviceAccount:" + reader)
    store(impersonate(reader)).bucket("lake").blob("d").upload_from_string(b"x")
    assert call("GET", f"/v1/projects/{project}/roles/writer")["title"] == "Writer"
    assert call("POST", f"/v1/projects/{project}:testIamPermissions", {"permissions": ["storage.buckets.delete"]})["permissions"]


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def identity_token(key_file, **claims):
    head = encoded(json.dumps({"alg": "RS256", "typ": "JWT"}).encode())
    body = encoded(json.dumps({"iss": "https://issuer.test", "sub": "pod", "aud": "isobar", "iat": int(time.time()),
                               "exp": int(time.time()) + 600, **claims}).encode())
    signed = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key_file], input=f"{head}.{body}".encode(),
                            stdout=subprocess.PIPE, check=True).stdout
    return f"{head}.{body}.{encoded(signed)}"


def test_federation():
    key = root + "/issuer-key.pem"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], stderr=subprocess.DEVNULL, check=True)
    public = subprocess.run(["openssl", "rsa", "-in", key, "-pubout"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    with open(root + "/issuers.json", "w") as f:
        json.dump({"https://issuer.test": {"public_key": public.stdout.decode(), "audiences": ["isobar"]}}, f)
    token_file = root + "/token"
    with open(token_file, "w") as f:
        f.write(identity_token(key))
    pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pods"
    external = {"type": "external_account", "audience": pool + "/providers/oidc", "token_url": url + "/v1/token",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": {"file": token_file}}
    # the federated principal itself
    direct = identity_pool.Credentials.from_info(external).with_scopes([SCOPE])
    try:
        store(direct).bucket("lake").blob("a").download_as_bytes()
        raise AssertionError("nobody granted it")
    except google.api_core.exceptions.Forbidden as e:
        assert "/subject/pod" in str(e), e
    bind("roles/storage.objectViewer", f"principal:{pool}/subject/pod")
    assert store(direct).bucket("lake").blob("a").download_as_bytes() == b"hello"
    # and with the account that it may be, from a file as google.auth.default() reads it
    bind("roles/iam.workloadIdentityUser", f"principalSet:{pool}/*", f"/v1/projects/{project}/serviceAccounts/{reader}")
    path = root + "/external.json"
    with open(path, "w") as f:
        json.dump({**external, "service_account_impersonation_url": f"{url}/v1/projects/-/serviceAccounts/{reader}:generateAccessToken"}, f)
    os.environ.update(GOOGLE_APPLICATION_CREDENTIALS=path, GOOGLE_CLOUD_PROJECT=project)
    credentials, _ = google.auth.default(scopes=[SCOPE])
    assert store(credentials).bucket("lake").blob("a").download_as_bytes() == b"hello"
    with open(token_file, "w") as f:
        f.write(identity_token(key, iat=int(time.time()) - 3600, exp=int(time.time()) - 3000))
    try:
        identity_pool.Credentials.from_info(external).with_scopes([SCOPE]).refresh(Request())
        raise AssertionError("it has expired")
    except google.auth.exceptions.OAuthError as e:
        assert "invalid_grant" in str(e), e


def test_ends():
    credentials = impersonate(reader)
    by = AuthorizedSession(credentials, max_refresh_attempts=0)
    call("GET", "/storage/v1/b/lake/o", by=by)
    subprocess.run([os.environ["POCKET_PROGRAM"], "pocket", "faults", root, "expire times=1"], check=True, stdout=subprocess.DEVNULL)
    session.get(url + "/storage/v1/b/lake")  # the request that the fault meets
    call("GET", "/storage/v1/b/lake/o", status=401, by=by)
    time.sleep(0.01)
    credentials = impersonate(reader, service_account.Credentials.from_service_account_info(info, scopes=[SCOPE]))
    call("GET", "/storage/v1/b/lake/o", by=AuthorizedSession(credentials))
    call("DELETE", f"/v1/projects/{project}/serviceAccounts/{reader}")
    call("GET", "/storage/v1/b/lake/o", status=401, by=AuthorizedSession(credentials, max_refresh_attempts=0))


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
