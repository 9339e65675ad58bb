# SPDX-License-Identifier: Apache-2.0
"""google-cloud-aiplatform, unmodified, against a pocket cloud: only the address and the credentials are its own. The
library speaks gRPC unless told api_transport="rest", which is what a pocket cloud speaks."""
import json
import sys

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import AuthorizedSession
from google.cloud import aiplatform
from google.cloud.aiplatform_v1 import JobServiceClient
from google.cloud.aiplatform_v1.types import JobState
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    info = json.load(f)
PROJECT, LOCATION = info["project_id"], "europe-west4"
PARENT = f"projects/{PROJECT}/locations/{LOCATION}"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def scoped(scope):
    return service_account.Credentials.from_service_account_info(info, scopes=[scope])


aiplatform.init(project=PROJECT, location=LOCATION, credentials=scoped(SCOPE), api_endpoint=url, api_transport="rest",
                staging_bucket="gs://staging")


def fails(error, message, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except error as e:
        assert message in str(e), (message, str(e))
        return e
    raise AssertionError(f"{call} should have failed with {error}")


def custom_job(script, **kwargs):
    return aiplatform.CustomJob(display_name="job", labels={"run": "r1"}, worker_pool_specs=[{
        "machine_spec": {"machine_type": "n1-standard-4"}, "replica_count": 1,
        "container_spec": {"image_uri": "debian:12", "command": ["sh", "-c"], "args": [script],
                           "env": [{"name": "WORD", "value": "hello"}]}}], **kwargs)


def test_job():
    job = custom_job("echo $WORD $AIP_MODEL_DIR")
    job.run(service_account=info["client_email"], timeout=600)
    assert job.state == JobState.JOB_STATE_SUCCEEDED, job.state
    again = aiplatform.CustomJob.get(job.resource_name)
    assert again.labels["run"] == "r1" and again.start_time and again.end_time and not again.error.message
    assert [j.resource_name for j in aiplatform.CustomJob.list(filter='labels.run="r1"')] == [job.resource_name]
    assert aiplatform.CustomJob.list(filter='display_name="other"') == []
    # Logs, as the logging library asks for them.
    answer = AuthorizedSession(scoped(SCOPE)).post(url + "/v2/entries:list", json={
        "resourceNames": [f"projects/{PROJECT}"], "orderBy": "timestamp asc",
        "filter": f'resource.type="ml_job" AND resource.labels.job_id="{job.name}"'}).json()
    lines = [e["jsonPayload"]["message"] for e in answer["entries"]]
    assert len(lines) == 1 and lines[0].startswith("hello gs://staging/") and lines[0].endswith("/model/"), lines
    job.delete()
    fails(exceptions.NotFound, "does not exist", aiplatform.CustomJob.get, job.resource_name)


def test_failing_job():
    job = custom_job("exit 3")
    fails(RuntimeError, "non-zero status of 3", job.run)
    assert job.state == JobState.JOB_STATE_FAILED and job.error.code == 3


def test_cancel():
    job = custom_job("exec sleep 600")
    job.submit(scheduling_strategy=aiplatform.compat.types.custom_job.Scheduling.Strategy.SPOT)
    assert job.state in (JobState.JOB_STATE_PENDING, JobState.JOB_STATE_RUNNING)
    job.cancel()
    try:
        job.wait_for_completion() if hasattr(job, "wait_for_completion") else job._block_until_complete()
    except RuntimeError:
        pass
    assert job.state == JobState.JOB_STATE_CANCELLED, job.state


SERVER = r"""
import http.server, json, os
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, kind):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200 if self.path == os.environ["AIP_HEALTH_ROUTE"] else 404, b"ok", "text/plain")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["content-type"] != "application/json":
            self.answer(200, os.environ["FACTOR"].encode() + b" " + body, "application/x-raw")
            return
        asked = json.loads(body)
        if asked["instances"] == ["bad"]:
            self.answer(400, b"no numbers", "text/plain")
            return
        factor = int(os.environ["FACTOR"]) * asked.get("parameters", {}).get("times", 1)
        self.answer(200, json.dumps({"predictions": [x * factor for x in asked["instances"]]}).encode(), "application/json")
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["AIP_HTTP_PORT"])), Handler).serve_forever()
"""


def upload(factor, **kwargs):
    return aiplatform.Model.upload(
        display_name=f"times-{factor}", artifact_uri="gs://models/m/", serving_container_image_uri="python:3",
        serving_container_command=["/usr/bin/python3", "-c"], serving_container_args=[SERVER],
        serving_container_environment_variables={"FACTOR": str(factor)},
        serving_container_predict_route="/predict", serving_container_health_route="/health", **kwargs)


def test_endpoint():
    two, three = upload(2), upload(3, model_id="times-three")
    assert three.name == "times-three" and two.version_id == "1"
    assert sorted(m.display_name for m in aiplatform.Model.list()) == ["times-2", "times-3"]
    fails(exceptions.Conflict, "already exists", upload, 3, model_id="times-three")
    endpoint = aiplatform.Endpoint.create(display_name="numbers", labels={"a": "b"}, dedicated_endpoint_enabled=True)
    assert [e.resource_name for e in aiplatform.Endpoint.list(filter="labels.a=b")] == [endpoint.resource_name]
    fails(ValueError, "deployed model with traffic", endpoint.predict, instances=[1])
    endpoint.deploy(two, machine_type="n1-standard-2", min_replica_count=1, deployed_model_display_name="first")
    answer = endpoint.predict(instances=[1, 2], parameters={"times": 10})
    assert answer.predictions == [20, 40] and answer.model_resource_name == two.resource_name, answer
    assert answer.deployed_model_id == endpoint.list_models()[0].id
    fails(ValueError, "no numbers", endpoint.predict, instances=["bad"])
    raw = endpoint.raw_predict(body=b"\0\1bytes", headers={"content-type": "a/b"})
    assert raw.status_code == 200 and raw.content == b"2 \0\1bytes", raw.content
    assert raw.headers["content-type"] == "application/x-raw"
    assert raw.headers["x-vertex-ai-deployed-model-id"] == answer.deployed_model_id
    # Another one beside it, then all traffic to that.
    endpoint.deploy(three, machine_type="n1-standard-2", traffic_percentage=50)
    seen = {endpoint.predict(instances=[1]).predictions[0] for _ in range(20)}
    assert seen == {2, 3}, seen
    fails(ValueError, "", endpoint.undeploy, answer.deployed_model_id, traffic_split={})
    endpoint.undeploy(answer.deployed_model_id)
    assert {endpoint.predict(instances=[1]).predictions[0] for _ in range(5)} == {3}
    fails(exceptions.BadRequest, "deployed", three.delete)
    endpoint.undeploy_all()
    endpoint.delete()
    two.delete()
    three.delete()
    fails(exceptions.NotFound, "does not exist", aiplatform.Endpoint(endpoint.resource_name).list_models)


def test_broken_model():
    model = aiplatform.Model.upload(display_name="broken", serving_container_image_uri="debian:12",
                                    serving_container_command=["false"], serving_container_predict_route="/p",
                                    serving_container_health_route="/h")
    endpoint = aiplatform.Endpoint.create(display_name="broken")
    fails(exceptions.BadRequest, "Model server terminated", endpoint.deploy, model, machine_type="n1-standard-2")
    assert endpoint.list_models() == []
    endpoint.delete(force=True)
    model.delete()


def test_credentials():
    def client(credentials):
        return JobServiceClient(credentials=credentials, transport="rest", client_options={"api_endpoint": url})
    # The library asks for another token when one is refused: this one has nothing to ask with.
    stranger = client(user_credentials.Credentials("ya29.wrong"))
    fails(RefreshError, "do not contain the necessary fields", stranger.list_custom_jobs, parent=PARENT)
    answer = requests.get(f"{url}/v1/{PARENT}/customJobs", headers={"authorization": "Bearer ya29.wrong"})
    assert answer.status_code == 401 and answer.json()["error"]["status"] == "UNAUTHENTICATED", answer.text
    assert "invalid authentication credentials" in answer.json()["error"]["message"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    forger = client(service_account.Credentials.from_service_account_info({**info, "private_key": other}, scopes=[SCOPE]))
    fails((RefreshError, exceptions.Unauthorized), "", forger.list_custom_jobs, parent=PARENT)
    reader = client(scoped(SCOPE + ".read-only"))
    list(reader.list_custom_jobs(parent=PARENT))
    e = fails(exceptions.Forbidden, "aiplatform.customJobs.create", reader.create_custom_job, parent=PARENT,
              custom_job={"display_name": "x"})
    assert e.reason == "IAM_PERMISSION_DENIED" and e.domain == "aiplatform.googleapis.com", e
    # Without a scope the library signs its own tokens.
    signer = client(service_account.Credentials.from_service_account_info(info))
    list(signer.list_custom_jobs(parent=PARENT))


for name, test in list(globals().items()):
    if name.startswith("test_") and (len(sys.argv) < 4 or name == sys.argv[3]):
        test()
        print("ok", name)
