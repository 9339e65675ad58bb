#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The gateway before an endpoint in Vertex AI of a pocket cloud, with the real model server behind it: inferences in JSON and in bytes, the model's own
refusals, a token that ends, and a cloud that is killed and comes back."""
import base64
import http.client
import json
import os
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scenario import need, run_test, same, wait_for

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
TARGET = {"endpoint": "m", "cloud": "gcp-eu", "weight": 1, "service": "vertex", "version": "1", "model": {"name": "m", "versions": ["1"]}}
INPUT = {"name": "x", "shape": [1, 2], "datatype": "FP32"}


def write_model(folder):
    """Two numbers in, the index of the larger one out."""
    tensors = {"layer0.weight": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}, "layer0.bias": {"dtype": "F32", "shape": [2], "data_offsets": [16, 24]}}
    head = json.dumps(tensors).encode()
    os.makedirs(folder, 0o755)
    with open(os.path.join(folder, "weights.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(head)) + head + struct.pack("<6f", 1, 0, 0, 1, 0, 0))
    with open(os.path.join(folder, "model.json"), "w") as file:
        json.dump({"name": "m", "version": "1", "format": "mlp", "layers": [2, 2], "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}],
                   "outputs": [{"name": "class", "datatype": "INT64", "shape": [-1, 1]}]}, file)


def ask(url, method, path, body=None, headers=None):
    link = http.client.HTTPConnection(url.split("/")[2], timeout=20)
    try:
        link.request(method, path, body, headers or {})
        answer = link.getresponse()
        return answer.status, answer.read(), answer
    finally:
        link.close()


def end(process):
    process.terminate()
    process.communicate()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Vertex:
    """A pocket Google Cloud and its API as its owner calls it."""

    def __init__(self, s):
        self.s = s
        self.root = os.path.join(s.folder, "gcp")
        self.announce = os.path.join(s.folder, "gcp.json")
        self.start()
        with open(os.path.join(self.root, "credentials.json")) as file:
            self.credentials = json.load(file)
        self.place = "/v1/projects/%s/locations/europe-west4" % self.credentials["project_id"]

    def start(self):
        if os.path.exists(self.announce):
            os.unlink(self.announce)
        self.process = self.s.start("pocket", "--as", "gcp", "--name", "gcp-eu", "--root", self.root, "--announce", self.announce)
        wait_for("the pocket cloud", lambda: os.path.exists(self.announce) or self.process.poll() is not None)
        with open(self.announce) as file:
            self.url = json.load(file)["url"]

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def token(self):
        key = os.path.join(self.s.folder, "key.pem")
        with open(key, "w") as file:
            file.write(self.credentials["private_key"])
        now = int(time.time())
        claims = {"iss": self.credentials["client_email"], "scope": SCOPE, "aud": self.credentials["token_uri"], "iat": now, "exp": now + 3600}
        text = encode(b'{"alg":"RS256","typ":"JWT"}') + "." + encode(json.dumps(claims).encode())
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", key], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
        form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=" + text + "." + encode(signature)
        status, body, _ = ask(self.url, "POST", "/token", form, {"content-type": "application/x-www-form-urlencoded"})
        same(status, 200, "status of the token")
        return json.loads(body)["access_token"]

    def call(self, method, path, body=None):
        headers = {"authorization": "Bearer " + self.token(), "content-type": "application/json"}
        status, answer, _ = ask(self.url, method, path, json.dumps(body) if body else None, headers)
        need(status == 200, "%s %s: %s %s", method, path, status, answer)
        return json.loads(answer)

    def act(self, path, body):
        """A call that is a long-running operation."""
        operation = self.call("POST", path, body)
        wait_for("the end of " + path, lambda: self.call("GET", "/v1/" + operation["name"]).get("done"))
        done = self.call("GET", "/v1/" + operation["name"])
        need("error" not in done, "%s: %s", path, done)

    def deploy(self, model):
        container = {"imageUri": "isobar", "args": ["serve", "--model", model, "--name", "m", "--version", "1", "--container"],
                     "predictRoute": "/predict", "healthRoute": "/health"}
        self.act(self.place + "/models:upload", {"modelId": "m1", "model": {"displayName": "m", "containerSpec": container}})
        self.act(self.place + "/endpoints?endpointId=e1", {"displayName": "m"})
        deployed = {"id": "1", "displayName": "m", "model": self.place[4:] + "/models/m1",
                    "dedicatedResources": {"machineSpec": {"machineType": "n1-standard-2"}, "minReplicaCount": 1}}
        self.act(self.place + "/endpoints/e1:deployModel", {"deployedModel": deployed, "trafficSplit": {"0": 100}})
        return self.url + self.place + "/endpoints/e1:rawPredict"


class Gateway:
    def __init__(self, s, url):
        self.folder = os.path.join(s.folder, "edge")
        os.mkdir(self.folder, 0o700)
        route = {"name": "m", "path": "/v2/models/m/**", "endpoint": "m", "targets": [dict(TARGET, url=url)]}
        self.write("snapshot.json", {"name": "edge", "generation": 1, "listen": "127.0.0.1:0", "audit": {"mode": "none"}, "routes": [route], "api_keys": [], "roles": []})
        announce = os.path.join(self.folder, "announce.json")
        self.process = process = s.start("gateway", "--snapshot", os.path.join(self.folder, "snapshot.json"), "--announce", announce)
        wait_for("the gateway", lambda: os.path.exists(announce) or process.poll() is not None)
        with open(announce) as file:
            self.announced = json.load(file)

    def write(self, name, value):
        path = os.path.join(self.folder, name)
        with open(os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(value, file)
        os.rename(path + ".new", path)

    def grant(self, token, seconds=3600):
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))
        self.write("upstreams.json", {"credentials": [{"cloud": "gcp-eu", "endpoint": "m", "service": "vertex", "secret": token, "expires": expires}]})

    def ask(self, method, path, body=None, headers=None):
        return ask(self.announced["url"], method, path, body, headers)

    def infer(self, data):
        status, body, _ = self.ask("POST", "/v2/models/m/infer", json.dumps({"id": "7", "inputs": [dict(INPUT, data=data)]}), {"content-type": "application/json"})
        return status, json.loads(body)

    def target(self):
        return json.loads(ask(self.announced["admin_url"], "GET", "/targets")[1])["targets"][0]

    def await_rotation(self, wanted):
        wait_for("in rotation: %s" % wanted, lambda: self.target()["in_rotation"] == wanted)


def check_protocol(gateway):
    status, answer = gateway.infer([0.25, 0.75])
    same((status, answer.get("model_name"), answer.get("id")), (200, "m", "7"), "an inference")
    same(answer["outputs"][0]["data"], [1], "its answer")
    status, answer = gateway.infer([0.25])
    same(status, 400, "status of an inference that the model refuses")
    need(isinstance(answer["error"], str) and answer["error"] != "the model does not take this request", "not the model's words: %s", answer)
    same(json.loads(gateway.ask("GET", "/v2/models/m")[1]), TARGET["model"], "metadata")
    same(gateway.ask("GET", "/v2/models/m/ready")[0], 200, "status of ready")
    same(gateway.ask("GET", "/v2/models/m/versions/2")[0], 404, "status of another version")


def check_bytes(gateway):
    inputs = dict(INPUT, parameters={"binary_data_size": 8})
    head = json.dumps({"inputs": [inputs], "outputs": [{"name": "class", "parameters": {"binary_data": True}}]}).encode()
    status, body, answer = gateway.ask("POST", "/v2/models/m/infer", head + struct.pack("<2f", 0.75, 0.25), {"inference-header-content-length": str(len(head))})
    same(status, 200, "status of an inference in bytes: %s" % body[:200])
    length = int(answer.getheader("inference-header-content-length"))
    same(struct.unpack("<q", body[length:]), (0,), "the class in bytes")


def test_vertex(s):
    os.chmod(s.folder, 0o711)  # what a pocket cloud runs may be another user
    model = os.path.join(s.folder, "model")
    write_model(model)
    vertex = Vertex(s)
    gateway = Gateway(s, vertex.deploy(model))
    same(gateway.infer([0, 1])[0], 503, "status without credentials")
    gateway.grant(vertex.token())
    gateway.await_rotation(True)
    check_protocol(gateway)
    check_bytes(gateway)
    gateway.grant("nonsense")
    wait_for("a refusal", lambda: gateway.infer([0, 1])[0] == 502)
    need(gateway.target()["refused"] and "401" in gateway.target()["reason"], "the reason is not told: %s", gateway.target())
    gateway.grant(vertex.token(), -5)
    wait_for("the end of its credentials", lambda: "expired" in gateway.target()["reason"])
    same(gateway.infer([0, 1])[0], 503, "status with expired credentials")
    gateway.grant(vertex.token())
    gateway.await_rotation(True)
    same(gateway.infer([0, 1])[0], 200, "status with new credentials")
    vertex.kill()
    need(gateway.infer([0, 1])[0] in (502, 503), "an answer of a dead cloud")
    gateway.await_rotation(False)
    vertex.start()
    gateway.grant(vertex.token())
    gateway.await_rotation(True)
    same(gateway.infer([1, 0])[1]["outputs"][0]["data"], [0], "an answer of the cloud that is back")
    end(gateway.process)
    end(vertex.process)
    s.run("pocket", "end", vertex.root)


run_test(test_vertex)
