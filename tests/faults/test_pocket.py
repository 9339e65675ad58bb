#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A pocket cloud (S3) under SIGKILL and on a full disk: every object that was acknowledged is there, every object that is there is
whole, and nothing half-written is left. test_pocket.py BUILD. SEED in the environment repeats a run."""
import concurrent.futures
import datetime
import hashlib
import hmac
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROUNDS, WRITERS, ROUND_S = 8, 4, 0.7
seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
chance = random.Random(seed)
folder = tempfile.mkdtemp(prefix="isobar-faults-")
program = os.path.join(sys.argv[1], "isobar")
print("seed", seed)


class Pocket:
    """One process on the same folder, as often as it is started."""

    def start(self, limit=None):
        announce = os.path.join(folder, "announce.json")
        if os.path.exists(announce):
            os.unlink(announce)
        set_limit = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        self.process = subprocess.Popen([program, "pocket", "--as", "aws", "--name", "faults", "--root", folder + "/root", "--announce",
                                         announce], preexec_fn=set_limit)
        deadline = time.monotonic() + 10
        while not os.path.exists(announce):
            assert time.monotonic() < deadline and self.process.poll() is None, "the pocket did not start"
            time.sleep(0.01)
        with open(announce) as f:
            self.host = json.load(f)["url"].removeprefix("http://")
        with open(folder + "/root/credentials.json") as f:
            self.credentials = json.load(f)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=b"", query=""):
        """One request with Signature Version 4, written from its specification."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        day, digest = now[:8], hashlib.sha256(body).hexdigest()
        headers = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(sorted(headers))
        canonical = "\n".join([method, path, query, *("%s:%s" % (n, headers[n]) for n in sorted(headers)), "", names, digest])
        scope = day + "/us-east-1/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.credentials["secret_access_key"]).encode()
        for part in (day, "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            self.credentials["access_key_id"], scope, names, hmac.digest(key, text.encode(), "sha256").hex())
        connection = http.client.HTTPConnection(self.host, timeout=10)
        try:
            connection.request(method, path + ("?" + query if query else ""), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


pocket = Pocket()


def body_of(key, version):
    random_bytes = random.Random("%s %d" % (key, version))
    return random_bytes.randbytes(random_bytes.choice([0, 10, 5000, 300_000, 2_000_000]))


def write_until_killed(writer, acknowledged, tried):
    """Puts, replaces and deletes; notes each act before it is sent and after it was acknowledged."""
    own = random.Random("%d %d %d" % (seed, writer, len(tried)))
    while True:
        key, version = "/lake/w%d-%d" % (writer, own.randrange(6)), own.randrange(1 << 30)
        if own.random() < 0.2:
            version = None
        tried.setdefault(key, []).append(version)
        try:
            status, text = pocket.call("DELETE", key) if version is None else pocket.call("PUT", key, body_of(key, version))
        except (OSError, http.client.HTTPException):
            return
        assert status in (200, 204), (status, text)
        acknowledged[key] = version
        tried[key] = []


def check(acknowledged, tried):
    status, listing = pocket.call("GET", "/lake", query="list-type=2")
    assert status == 200, listing
    listed = {"/lake/" + urllib.parse.unquote(k) for k in re.findall(r"<Key>([^<]*)</Key>", listing.decode())}
    for key in set(acknowledged) | set(tried) | listed:
        status, got = pocket.call("GET", key)
        assert (status == 200) == (key in listed), (key, status)
        # Either what was acknowledged last, or what was being done when the process died.
        allowed = [acknowledged.get(key)] + tried.get(key, [])
        matches = [v for v in allowed if (status == 404 if v is None else status == 200 and got == body_of(key, v))]
        assert matches, (key, status, len(got), allowed)
        acknowledged[key] = matches[0]
        tried[key] = []
    left = os.listdir(folder + "/root/tmp")
    assert not left, left


def kills():
    acknowledged, tried, done = {}, {}, 0
    pocket.start()
    assert pocket.call("PUT", "/lake")[0] == 200
    for _ in range(ROUNDS):
        with concurrent.futures.ThreadPoolExecutor(WRITERS) as pool:
            states = [({k: v for k, v in acknowledged.items() if k.startswith("/lake/w%d-" % w)}, {}) for w in range(WRITERS)]
            running = [pool.submit(write_until_killed, w, *states[w]) for w in range(WRITERS)]
            time.sleep(chance.uniform(0.05, ROUND_S))
            pocket.kill()
            for writer in running:
                writer.result()
        for known, attempted in states:
            acknowledged.update(known)
            tried.update(attempted)
        pocket.start()
        check(acknowledged, tried)
        done += len(acknowledged)
    print("survived %d kills, %d objects looked at" % (ROUNDS, done))


def full_disk():
    pocket.process.send_signal(signal.SIGTERM)
    assert pocket.process.wait() == 0
    pocket.start(limit=1 << 20)
    status, text = pocket.call("PUT", "/lake/too-big", b"x" * (3 << 20))
    assert status == 507 and b"<Code>InsufficientStorage</Code>" in text, (status, text)
    assert pocket.call("GET", "/lake/too-big")[0] == 404
    assert not os.listdir(folder + "/root/tmp")
    assert pocket.call("PUT", "/lake/fits", b"x" * 1000)[0] == 200
    assert pocket.call("GET", "/lake/fits") == (200, b"x" * 1000)
    pocket.kill()
    print("a full disk is answered and leaves nothing")


try:
    kills()
    full_disk()
finally:
    if pocket.process.poll() is None:
        pocket.kill()
    shutil.rmtree(folder, ignore_errors=True)
