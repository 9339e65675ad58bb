# SPDX-License-Identifier: Apache-2.0
"""What the tests of planned and outside changes share: a workspace of buckets on pocket clouds, and an S3 client of its own that changes
things behind Isobar's back."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import urllib.parse

from scenario import need

HEAD = """isobar: 1
workspace: shop
environments:
  %s
clouds:
%s"""
CLOUD_LINES = {"aws-us": "  aws-us: {provider: aws, region: us-east-1}\n",
               "gcp-eu": "  gcp-eu: {provider: gcp, region: europe-west4}\n",
               "azure-eu": "  azure-eu: {provider: azure, region: westeurope}\n"}


def write(folder, body, clouds=("aws-us",), environments="pocket: {pocket: true}"):
    """The workspace's file: clouds, and what the test declares on them."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "isobar.yaml"), "w") as file:
        file.write(HEAD % (environments, "".join(CLOUD_LINES[cloud] for cloud in clouds)) + body)


class S3:
    """The pocket cloud of a workspace, asked as any S3 client would."""

    def __init__(self, folder, cloud="aws-us", state=".isobar"):
        root = os.path.join(folder, state, "pocket", cloud)
        with open(os.path.join(root, "credentials.json")) as file:
            self.credentials = json.load(file)
        with open(os.path.join(root, "announce.json")) as file:
            self.host = json.load(file)["url"].split("//")[1]

    def ask(self, method, path, query="", body=b""):
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(body).hexdigest()
        headers = {"host": self.host, "x-amz-content-sha256": digest, "x-amz-date": now}
        if body:
            headers["content-md5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
        names = ";".join(sorted(headers))
        canonical_query = query + "=" if query and "=" not in query else query
        canonical = "\n".join([method, urllib.parse.quote(path), canonical_query,
                               "".join("%s:%s\n" % (name, headers[name]) for name in sorted(headers)), names, digest])
        scope = "%s/us-east-1/s3/aws4_request" % now[:8]
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = ("AWS4" + self.credentials["secret_access_key"]).encode()
        for part in (now[:8], "us-east-1", "s3", "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        headers["authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
            self.credentials["access_key_id"], scope, names, hmac.digest(key, text.encode(), "sha256").hex())
        connection = http.client.HTTPConnection(self.host, timeout=30)
        try:
            connection.request(method, path + ("?" + query if query else ""), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def must(self, *request):
        status, text = self.ask(*request)
        need(status < 300, "%s: %d %s", request, status, text)
        return text

    def make(self, bucket, tags=None):
        self.must("PUT", "/" + bucket)
        if tags is not None:
            self.set_tags(bucket, tags)

    def put(self, bucket, key, data=b"x"):
        self.must("PUT", "/%s/%s" % (bucket, key), "", data)

    def set_tags(self, bucket, tags):
        inner = "".join("<Tag><Key>%s</Key><Value>%s</Value></Tag>" % pair for pair in tags.items())
        self.must("PUT", "/" + bucket, "tagging", ("<Tagging><TagSet>%s</TagSet></Tagging>" % inner).encode())

    def tags(self, bucket):
        status, text = self.ask("GET", "/" + bucket, "tagging")
        need(status in (200, 404), "tags of %s: %d %s", bucket, status, text)
        return dict(re.findall("<Key>([^<]*)</Key><Value>([^<]*)</Value>", text))

    def exists(self, bucket):
        return self.ask("HEAD", "/" + bucket)[0] == 200


