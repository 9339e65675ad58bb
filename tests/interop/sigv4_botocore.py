# SPDX-License-Identifier: Apache-2.0
"""SigV4 of cloud/sign against botocore's on random requests for s3, sagemaker, kms and sts: canonical form, string to sign, signature,
presigned URLs; and the server's side of it: what botocore signs is accepted, and refused after any change.
sigv4_botocore.py DRIVER [SEED [COUNT]]"""
import datetime
import hashlib
import json
import random
import subprocess
import sys
from urllib.parse import quote, urlsplit

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

driver_path = sys.argv[1]
seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 100000
random.seed(seed)
driver = subprocess.Popen([driver_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

CHARACTERS = "abzAZ019-_.~/+ %&=?#!*'()[]@:,;$\"\\<>^`{|}é漢\u00a0😀"
HEADER_CHARACTERS = "abcXYZ019 -_.;,=/\"'()  "


def ask(**question):
    driver.stdin.write(json.dumps(question) + "\n")
    driver.stdin.flush()
    return json.loads(driver.stdout.readline())


def text(most, characters=CHARACTERS, least=0):
    return "".join(random.choice(characters) for _ in range(random.randint(least, most)))


def freeze(when):
    for module in (botocore.auth, ):
        module.get_current_datetime = lambda remove_tzinfo=True, w=when: w


def service_request(service):
    """A call as the SDKs make it (JSON in a body, a query form, an invocation), with paths that want normalising."""
    method, path = "POST", "/"
    headers = [("Content-Type", random.choice(["application/x-amz-json-1.1", "application/x-www-form-urlencoded; charset=utf-8"]))]
    if service == "sagemaker" and random.random() < 0.5:
        path = quote("/endpoints/%s/invocations" % text(12, "abAB019-", 1), safe="/~-_.")
        headers.append(("X-Amzn-SageMaker-Target-Variant", text(20, HEADER_CHARACTERS, 1)))
    elif random.random() < 0.5:
        path = quote("/" + text(30), safe="/~-_.")
        path = random.choice([path, path + "/", "/a/./b/../" + path, "//" + path, path + "/.."])
    if service in ("sagemaker", "kms"):
        headers.append(("X-Amz-Target", random.choice(["SageMaker.", "TrentService."]) + text(12, "abcXYZ", 1)))
    parameters = [(text(8, least=1), text(12)) for _ in range(random.choice([0, 0, 3]))]
    query = "&".join(quote(name, safe="~-_.") + "=" + quote(value, safe="~-_.") for name, value in parameters)
    host = "%s.eu-central-1.amazonaws.com" % service
    body = bytes(random.randrange(256) for _ in range(random.randint(0, 50)))
    request = AWSRequest(method=method, url=f"http://{host}{path}" + ("?" + query if query else ""), data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    if random.random() < 0.5:
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(body).hexdigest()
    return request, host


def random_request(scheme="http"):
    key = random.choice(["", "a", "a/b", "//a//", "../b/./c", text(40)])
    path = quote("/" + random.choice(["lake", "my-bucket.x"]) + ("/" + key if key else ""), safe="/~-_.")
    parameters = [(text(8, least=1), text(12)) for _ in range(random.randint(0, 5))]
    if random.random() < 0.3:
        parameters.append((random.choice(["acl", "uploads", "lifecycle", "versioning"]), ""))
    query = "&".join(quote(name, safe="~-_.") + "=" + quote(value, safe="~-_.") for name, value in parameters)
    host = random.choice(["127.0.0.1:4000", "s3.eu-central-1.amazonaws.com", "localhost"])
    headers = [(random.choice(["x-amz-meta-", "X-Amz-Meta-"]) + text(6, "abcXYZ-09", 1), text(20, HEADER_CHARACTERS, 1))
               for _ in range(random.randint(0, 4))]
    if random.random() < 0.3:
        headers.append(("Content-Type", "text/plain;  charset=utf-8"))
    if random.random() < 0.3:
        headers.append(("Range", "bytes=0-%d" % random.randrange(1000)))
    if headers and random.random() < 0.2:
        headers.append((headers[0][0], "again"))
    method = random.choice(["GET", "PUT", "POST", "HEAD", "DELETE"])
    body = bytes(random.randrange(256) for _ in range(random.randint(0, 50))) if method in ("PUT", "POST") else b""
    url = f"{scheme}://{host}{path}" + ("?" + query if query else "")
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    return request, host


def as_seen(request, host):
    """The request as a server sees it."""
    parts = urlsplit(request.url)
    headers = [[name, value] for name, value in request.headers.items()]
    return {"method": request.method, "path": parts.path, "query": parts.query, "headers": headers + [["Host", host]]}


def check_header_signature(credentials, region, when, service):
    if service == "s3":
        request, host = random_request()
        auth = botocore.auth.S3SigV4Auth(credentials, "s3", region)
    else:
        request, host = service_request(service)
        auth = botocore.auth.SigV4Auth(credentials, service, region)
    freeze(when)
    time = when.strftime("%Y%m%dT%H%M%SZ")
    auth.add_auth(request)
    signed = auth.signed_headers(auth.headers_to_sign(request))
    seen = as_seen(request, host)
    payload_hash = request.headers.get("X-Amz-Content-SHA256") or auth.payload(request)
    common = {**seen, "access_key": credentials.access_key, "secret": credentials.secret_key, "region": region, "time": time,
              "service": service, "payload_hash": payload_hash}
    authorization = request.headers["Authorization"]
    theirs = dict(part.split("=", 1) for part in authorization[len("AWS4-HMAC-SHA256 "):].split(", "))
    del request.headers["Authorization"]
    canonical = auth.canonical_request(request)
    to_sign = auth.string_to_sign(request, canonical)
    ours = ask(op="canonical", signed_headers=theirs["SignedHeaders"], **common)
    # signed_headers above was computed with Authorization in place, which is not signed.
    assert theirs["SignedHeaders"] == signed.replace("authorization;", ""), (theirs, signed)
    assert ours["canonical"] == canonical, (ours["canonical"], canonical)
    assert ours["string_to_sign"] == to_sign
    assert ours["signature"] == theirs["Signature"]
    # What we would send ourselves: the same headers are signed here.
    if "X-Amz-Content-SHA256" in request.headers:
        own = ask(op="authorize", **common | {"headers": [h for h in seen["headers"] if h[0] != "Authorization"]})
        assert own["authorization"] == authorization, (own, authorization)
    check_server(common, seen, time)


def check_server(common, seen, time):
    assert ask(op="verify", now=time, **common)["accepted"]
    changed = dict(seen)
    what = random.choice(["method", "path", "query", "header", "signature", "late"])
    now = time
    if what == "method":
        changed["method"] = "PATCH"
    elif what == "path":
        changed["path"] = seen["path"] + "x"
    elif what == "query":
        changed["query"] = seen["query"] + "&zz=1"
    elif what == "late":
        most = 900 if common["service"] == "s3" else 300  # seconds that a clock may be off
        when = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ") + datetime.timedelta(seconds=most + 1)
        now = when.strftime("%Y%m%dT%H%M%SZ")
    elif what == "header":
        changed["headers"] = [[n, v + "x"] if n.lower() == "host" else [n, v] for n, v in seen["headers"]]
    else:
        changed["headers"] = [[n, v[:-1] + ("0" if v[-1] != "0" else "1")] if n == "Authorization" else [n, v]
                              for n, v in seen["headers"]]
    answer = ask(op="verify", now=now, **{**common, **changed})
    assert not answer["accepted"]
    too_late = what == "late" and common["service"] == "s3"  # other services call it a signature that expired
    assert answer["code"] == ("RequestTimeTooSkewed" if too_late else "SignatureDoesNotMatch"), (what, answer)


def check_presigned(credentials, region, when, service):
    request, host = random_request()
    request = AWSRequest(method=request.method, url=request.url)  # a presigned URL signs the host alone
    expires = random.randint(1, 604800)
    freeze(when)
    before = urlsplit(request.url)
    if service == "s3":
        auth = botocore.auth.S3SigV4QueryAuth(credentials, "s3", region, expires=expires)
    else:
        auth = botocore.auth.SigV4QueryAuth(credentials, service, region, expires=expires)
    auth.add_auth(request)
    theirs = urlsplit(request.url).query
    time = when.strftime("%Y%m%dT%H%M%SZ")
    common = {"method": request.method, "path": before.path, "headers": [["Host", host]], "access_key": credentials.access_key,
              "secret": credentials.secret_key, "region": region, "time": time, "service": service,
              "payload_hash": "UNSIGNED-PAYLOAD" if service == "s3" else hashlib.sha256(b"").hexdigest()}
    operation = theirs[:theirs.index("X-Amz-Algorithm=")].rstrip("&")
    ours = ask(op="presign", query=operation, token=credentials.token or "", expires=expires, **common)
    assert ours["query"] == theirs, (ours["query"], theirs)
    assert ask(op="verify", query=theirs, now=time, **common)["accepted"]
    late = (when + datetime.timedelta(seconds=expires + 1)).strftime("%Y%m%dT%H%M%SZ")
    assert ask(op="verify", query=theirs, now=late, **common) == {"accepted": False, "code": "AccessDenied"}
    other = {**common, "method": "PUT" if request.method != "PUT" else "GET"}
    assert ask(op="verify", query=theirs, now=time, **other)["code"] == "SignatureDoesNotMatch"


for number in range(COUNT):
    token = text(30, "abcXYZ/+=019", 1) if random.random() < 0.3 else None
    credentials = Credentials("AK" + text(10, "ABC019", 1), text(30, "abcXYZ/+019", 1), token)
    region = random.choice(["us-east-1", "eu-central-1", "auto"])
    when = datetime.datetime(2013, 5, 24) + datetime.timedelta(seconds=random.randrange(400000000))
    service = ("s3", "sagemaker", "kms", "sts")[number % 4]
    check = check_presigned if number % 5 == 4 else check_header_signature
    try:
        check(credentials, region, when, service)
    except BaseException:
        print(f"not ok - request {number} ({service}) with seed {seed}")
        raise
driver.stdin.close()
assert driver.wait() == 0
print(f"ok - {COUNT} random requests agree with botocore {botocore.__version__} (seed {seed})")
