# SPDX-License-Identifier: Apache-2.0
"""Accounts as tests play them: `isobar pocket` processes started by hand, an operator's file that leads to them, and a proxy that
lets through only what it is told to. Python 3 alone."""
import hashlib
import http.client
import http.server
import json
import os
import re
import threading

from scenario import wait_for

PROVIDERS = {"aws-us": ("aws", "us-east-1"), "gcp-eu": ("gcp", "europe-west4"), "azure-eu": ("azure", "westeurope")}
HIDDEN = ("AWS_", "AZURE_", "GOOGLE_", "ISOBAR_OPERATOR", "XDG_CONFIG_HOME", "KUBECONFIG", "SLURM_CONF")


class Account:
    def __init__(self, s, cloud):
        self.cloud, (self.provider, self.region) = cloud, PROVIDERS[cloud]
        self.root, announced = os.path.join(s.folder, "accounts", cloud), os.path.join(s.folder, cloud + ".json")
        self.process = s.start("pocket", "--as", self.provider, "--name", cloud, "--root", self.root, "--announce", announced)
        wait_for("the account of " + cloud, lambda: os.path.exists(announced))
        with open(announced) as file:
            self.url = json.load(file)["url"]
        with open(os.path.join(self.root, "credentials.json")) as file:
            self.credentials = json.load(file)
        self.store = self.url

    def contents(self):
        """Digest of all that the account holds."""
        digest = hashlib.sha256()
        for where, folders, names in os.walk(os.path.join(self.root, "buckets")):
            folders.sort()
            for name in sorted(names):
                path = os.path.join(where, name)
                with open(path, "rb") as file:
                    digest.update(path.encode() + b"\0" + file.read() + b"\0")
        return digest.hexdigest()

    def secrets(self):
        return [value for name, value in self.credentials.items() if name in ("secret_access_key", "key", "private_key",
                                                                              "access_key_id", "client_email")]


def write_private(path, text):
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
    return path


def write_operator(s, accounts, wrong=()):
    """An operator's file that leads to the accounts; clouds in `wrong` get a key that is not theirs."""
    secrets, clouds = [], []
    for a in accounts:
        head = "  %s:\n    provider: %s\n    region: %s\n    endpoints: {store: \"%s\"}\n" % (a.cloud, a.provider, a.region, a.store)
        if a.provider == "gcp":
            file = dict(a.credentials)
            if a.cloud in wrong:
                file["client_email"] = "nobody@nowhere.test"
            clouds.append(head + '    credentials: {file: "%s"}\n' % write_private(os.path.join(s.folder, "gcp.json"), json.dumps(file)))
            continue
        key = a.credentials["secret_access_key" if a.provider == "aws" else "key"]
        if a.cloud in wrong:
            key = "d3Jvbmc=" if a.provider == "azure" else "wrong"
        path = write_private(os.path.join(s.folder, a.cloud + ".secret"), key)
        secrets.append('  %s: {from: "file:%s", hosts: ["127.0.0.1:*"]}\n' % (a.cloud, path))
        if a.provider == "aws":
            clouds.append(head + "    credentials: {access_key_id: %s, secret_access_key: secret/%s}\n" %
                          (a.credentials["access_key_id"], a.cloud))
        else:
            clouds.append(head + "    credentials: {storage_account: %s, storage_key: secret/%s}\n" % (a.credentials["account"], a.cloud))
    return write_private(os.path.join(s.folder, "operator.yaml"), "secrets:\n" + "".join(secrets) + "clouds:\n" + "".join(clouds))


def environment(s, operator):
    """Variables of a machine that has nothing but this operator's file."""
    for name in [name for name in os.environ if name.startswith(HIDDEN)]:
        del os.environ[name]
    return {"ISOBAR_OPERATOR": operator, "HOME": s.folder}


# ------------------------------------------------------------------ a proxy that judges


class Judge(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def deny(self):
        body = self.server.denial
        self.send_response(403)
        for name, value in self.server.denial_headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def forward(self, body):
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=60)
        upstream.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            upstream.putheader(name, value)
        upstream.endheaders(body or None)
        answer = upstream.getresponse()
        data = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("transfer-encoding", "connection", "date", "server"):
                continue
            if name.lower() == "location":
                value = value.replace("http://" + self.server.upstream, self.server.url)
            self.send_header(name, value)
        if self.command != "HEAD" and answer.getheader("content-length") is None and answer.status not in (204, 304):
            self.send_header("content-length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)
        upstream.close()

    def do(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        asked = self.server.permissions(self.command, self.path)
        with self.server.lock:
            self.server.asked.append((self.command, self.path, asked))
            denied = asked is None or not self.server.grants(asked)
            if denied:
                self.server.denied.append((self.command, self.path, asked))
        if denied:
            self.deny()
        else:
            self.forward(body)

    do_GET = do_PATCH = do_PUT = do_POST = do_DELETE = do_HEAD = do


class Proxy(http.server.ThreadingHTTPServer):
    """Forwards to an account what permissions(method, path) says is granted. permissions gives [(permission, bucket or None)], or None
    for a request that nobody foresaw; grants judges such a list."""
    daemon_threads = True

    def __init__(self, account, permissions, grants):
        super().__init__(("127.0.0.1", 0), Judge)
        origin, path = re.match(r"http://([^/]+)(.*)", account.url).groups()
        self.upstream, self.url = origin, "http://127.0.0.1:%d" % self.server_address[1]
        account.store = self.url + path
        self.permissions, self.grants = permissions, grants
        self.asked, self.denied, self.lock = [], [], threading.Lock()
        self.denial, self.denial_headers = {
            "aws": (b"<Error><Code>AccessDenied</Code><Message>no identity-based policy allows it</Message></Error>", {}),
            "azure": (b"", {"x-ms-error-code": "AuthorizationPermissionMismatch"}),
            "gcp": (b'{"error":{"code":403,"message":"no role grants it","errors":[{"reason":"forbidden"}]}}',
                    {"content-type": "application/json"}),
        }[account.provider]
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def used(self):
        return {permission for _, _, asked in self.asked for permission, _ in asked or []}

    def stop(self):
        self.shutdown()
        self.server_close()
