# SPDX-License-Identifier: Apache-2.0
# azure-mgmt-machinelearningservices, unmodified, does its ordinary work against a pocket Azure: only the endpoint, the
# authority and the private CA are other. azure_ml_pocket.py URL CREDENTIALS CA PROGRAM
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
import ssl
import uuid

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.machinelearningservices import MachineLearningServicesMgmtClient
from azure.mgmt.machinelearningservices import models as m
from azure.storage.blob import BlobServiceClient

url, credentials_file, ca, program = sys.argv[1:5]
with open(credentials_file) as f:
    given = json.load(f)
origin = url.rsplit("/", 1)[0]
host = origin.split("://", 1)[1]
group, workspace = given["resource_group"], given["workspace"]


def client_of(credential):
    return MachineLearningServicesMgmtClient(
        credential,
        given["subscription"],
        base_url=origin,
        connection_verify=ca,
        polling_interval=1,
    )


def secret_credential(secret):
    return ClientSecretCredential(
        given["tenant"], given["client_id"], secret, authority=host, connection_verify=ca, disable_instance_discovery=True
    )


ml = client_of(secret_credential(given["client_secret"]))
blobs = BlobServiceClient(
    url, credential={"account_name": given["account"], "account_key": given["key"]}, connection_verify=ca
)


def wait_for(job, *states):
    for _ in range(400):
        got = ml.jobs.get(group, workspace, job).properties.status
        if got in states:
            return got
        assert got in ("NotStarted", "Starting", "Preparing", "Queued", "Running", "Finalizing", "CancelRequested"), got
        time.sleep(0.05)
    raise AssertionError(f"{job} is still {got}")


# ---------------------------------------------------------------- what is there
space = ml.workspaces.get(group, workspace)
assert space.name == workspace and space.provisioning_state == "Succeeded"
assert space.storage_account.endswith("/" + given["account"])
assert [w.name for w in ml.workspaces.list_by_resource_group(group)] == [workspace]
store = ml.datastores.get(group, workspace, "workspaceblobstore").properties
assert store.account_name == given["account"] and store.is_default
container = store.container_name

# ---------------------------------------------------------------- assets
ml.environment_versions.create_or_update(
    group, workspace, "python", "1", m.EnvironmentVersion(properties=m.EnvironmentVersionProperties(image="library/python:3.11"))
)
environment = ml.environment_versions.get(group, workspace, "python", "1")
assert environment.properties.image == "library/python:3.11" and environment.name == "1"
try:
    ml.environment_versions.create_or_update(
        group, workspace, "python", "1", m.EnvironmentVersion(properties=m.EnvironmentVersionProperties(image="other"))
    )
    raise AssertionError("a version was changed")
except HttpResponseError as e:
    assert e.status_code == 400 and e.error.code == "UserError", e
for version in range(2, 36):
    ml.environment_versions.create_or_update(
        group,
        workspace,
        "python",
        str(version),
        m.EnvironmentVersion(properties=m.EnvironmentVersionProperties(image=f"library/python:{version}")),
    )
assert len(list(ml.environment_versions.list(group, workspace, "python"))) == 35  # over two pages
assert ml.environment_containers.get(group, workspace, "python").properties.next_version == "36"

# ---------------------------------------------------------------- a job: code, inputs, outputs, log
blobs.create_container(container)
c = blobs.get_container_client(container)
c.upload_blob("data/numbers/a.txt", b"1\n2\n")
c.upload_blob("data/numbers/more/b.txt", b"3\n")
c.upload_blob("code/sum.py", b"""
import os, pathlib, sys
folder, out = map(pathlib.Path, sys.argv[1:3])
total = sum(int(n) for f in folder.rglob("*.txt") for n in f.read_text().split())
print("total", total, os.environ["SCALE"], flush=True)
print("to standard error", file=sys.stderr, flush=True)
(out / "total.txt").write_text(str(total * int(os.environ["SCALE"])))
pathlib.Path("outputs").mkdir(exist_ok=True)
pathlib.Path("outputs/note.txt").write_text("kept")
""")
ml.code_versions.create_or_update(
    group, workspace, "sum", "1", m.CodeVersion(properties=m.CodeVersionProperties(code_uri=f"{url}/{container}/code"))
)


def command_job(command, **more):
    return m.JobBase(
        properties=m.CommandJob(
            command=command,
            environment_id=environment.id,
            resources=m.JobResourceConfiguration(instance_count=1, instance_type="Standard_DS3_v2"),
            **more,
        )
    )


name = "sum-" + uuid.uuid4().hex
job = command_job(
    "python3 sum.py ${{inputs.numbers}} ${{outputs.result}} && echo ${{inputs.word}}",
    code_id=ml.code_versions.get(group, workspace, "sum", "1").id,
    environment_variables={"SCALE": "10"},
    tags={"team": "a"},
    limits=m.CommandJobLimits(timeout="PT5M"),
    inputs={
        "numbers": m.UriFolderJobInput(uri="azureml://datastores/workspaceblobstore/paths/data/numbers"),
        "word": m.LiteralJobInput(value="done"),
    },
    outputs={"result": m.UriFolderJobOutput()},
)
made = ml.jobs.create_or_update(group, workspace, name, job)
assert made.name == name and made.properties.status == "Starting", made.properties.status
ml.jobs.create_or_update(group, workspace, name, job)  # the same id: the same job
assert wait_for(name, "Completed", "Failed", "Canceled") == "Completed"
log = blobs.get_blob_client("azureml", f"ExperimentRun/dcid.{name}/user_logs/std_log.txt").download_blob().readall()
assert b"total 6 10\n" in log and b"to standard error\n" in log and b"done\n" in log, log
assert c.download_blob(f"azureml/{name}/result/total.txt").readall() == b"60"
note = blobs.get_blob_client("azureml", f"ExperimentRun/dcid.{name}/outputs/note.txt").download_blob().readall()
assert note == b"kept"
assert [j.name for j in ml.jobs.list(group, workspace, tag="team")] == [name]
assert list(ml.jobs.list(group, workspace, tag="none")) == []

# ---------------------------------------------------------------- one that fails, one that is canceled, one that is deleted
failing = ml.jobs.create_or_update(group, workspace, "failing", command_job("exit 3"))
assert wait_for("failing", "Completed", "Failed", "Canceled") == "Failed"
ml.jobs.create_or_update(group, workspace, "sleeping", command_job("sleep 600"))
wait_for("sleeping", "Running")
try:
    ml.jobs.begin_delete(group, workspace, "sleeping").result()
    raise AssertionError("a running job was deleted")
except HttpResponseError as e:
    assert e.status_code == 400, e
ml.jobs.begin_cancel(group, workspace, "sleeping").result()
assert ml.jobs.get(group, workspace, "sleeping").properties.status == "Canceled"
ml.jobs.begin_delete(group, workspace, "sleeping").result()
try:
    ml.jobs.get(group, workspace, "sleeping")
    raise AssertionError("the job is still there")
except ResourceNotFoundError as e:
    assert e.error.code == "UserError", e.error
try:
    ml.jobs.create_or_update(group, workspace, "failing", command_job("exit 4"))
    raise AssertionError("a job was changed")
except HttpResponseError as e:
    assert e.status_code == 400 and "A job with this name already exists" in e.error.message, e
try:
    ml.jobs.create_or_update(group, workspace, "bad", m.JobBase(properties=m.CommandJob(command="x", environment_id="none:1")))
    raise AssertionError("an environment that is not there was taken")
except HttpResponseError as e:
    assert e.status_code == 400 and e.error.code == "UserError", e

# ---------------------------------------------------------------- an endpoint with two deployments
server = """
import http.server, json, os, sys
class H(http.server.BaseHTTPRequestHandler):
    def log_message(self, *a): pass
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status = 500 if body.get("fail") else 200
        text = json.dumps({"version": sys.argv[1], "path": self.path, "got": body}).encode()
        self.send_response(status); self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text))); self.end_headers(); self.wfile.write(text)
print("listening", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["SERVE_PORT"])), H).serve_forever()
"""
c.upload_blob("models/server.py", server.encode())
ml.model_versions.create_or_update(
    group,
    workspace,
    "server",
    "1",
    m.ModelVersion(properties=m.ModelVersionProperties(model_uri="azureml://datastores/workspaceblobstore/paths/models")),
)
ml.environment_versions.create_or_update(
    group,
    workspace,
    "serving",
    "1",
    m.EnvironmentVersion(
        properties=m.EnvironmentVersionProperties(
            image="example/server:1",
            inference_config=m.InferenceContainerProperties(
                liveness_route=m.Route(path="/live", port=8000),
                readiness_route=m.Route(path="/ready", port=8000),
                scoring_route=m.Route(path="/score", port=8000),
            ),
        )
    ),
)


def endpoint_of(traffic):
    return m.OnlineEndpoint(
        location=space.location,
        identity=m.ManagedServiceIdentity(type="SystemAssigned"),
        properties=m.OnlineEndpointProperties(auth_mode="Key", traffic=traffic),
    )


def deployment_of(version):
    return m.OnlineDeployment(
        location=space.location,
        sku=m.Sku(name="Default", capacity=1),
        properties=m.ManagedOnlineDeployment(
            model=ml.model_versions.get(group, workspace, "server", "1").id,
            environment_id=ml.environment_versions.get(group, workspace, "serving", "1").id,
            instance_type="Standard_DS3_v2",
            environment_variables={
                "SERVE_PORT": "8000",
                "ISOBAR_POCKET_COMMAND": f"exec python3 $AZUREML_MODEL_DIR/server.py {version}",
            },
        ),
    )


e = ml.online_endpoints.begin_create_or_update(group, workspace, "numbers", endpoint_of({})).result()
assert e.properties.provisioning_state == "Succeeded"
blue = ml.online_deployments.begin_create_or_update(group, workspace, "numbers", "blue", deployment_of("one")).result()
assert blue.properties.provisioning_state == "Succeeded"
e = ml.online_endpoints.begin_create_or_update(group, workspace, "numbers", endpoint_of({"blue": 100})).result()
keys = ml.online_endpoints.list_keys(group, workspace, "numbers")
context = ssl.create_default_context(cafile=ca)


def score(body, key=keys.primary_key, **headers):
    request = urllib.request.Request(
        e.properties.scoring_uri,
        data=json.dumps(body).encode(),
        headers={"authorization": "Bearer " + key, "content-type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, context=context) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers), json.load(refused)


status, headers, body = score({"x": 1})
assert (status, body["version"], body["path"], body["got"]) == (200, "one", "/score", {"x": 1}), (status, body)
assert headers["azureml-model-deployment"] == "blue"
assert score({"x": 1}, keys.secondary_key)[0] == 200
assert score({"x": 1}, "wrong")[0] == 401
status, headers, body = score({"fail": True})
assert status == 424 and headers["ms-azureml-model-error-statuscode"] == "500", (status, headers)

ml.online_deployments.begin_create_or_update(group, workspace, "numbers", "green", deployment_of("two")).result()
assert sorted(d.name for d in ml.online_deployments.list(group, workspace, "numbers")) == ["blue", "green"]
assert score({}, **{"azureml-model-deployment": "green"})[2]["version"] == "two"
assert score({})[2]["version"] == "one"
try:
    ml.online_endpoints.begin_create_or_update(group, workspace, "numbers", endpoint_of({"blue": 10})).result()
    raise AssertionError("ten percent of traffic were taken")
except HttpResponseError as refused:
    assert refused.status_code == 400, refused
ml.online_endpoints.begin_create_or_update(group, workspace, "numbers", endpoint_of({"blue": 50, "green": 50})).result()
assert {score({})[2]["version"] for _ in range(40)} == {"one", "two"}
ml.online_endpoints.begin_create_or_update(group, workspace, "numbers", endpoint_of({"green": 100})).result()
ml.online_deployments.begin_delete(group, workspace, "numbers", "blue").result()
assert score({})[2]["version"] == "two"
logs = ml.online_deployments.get_logs(group, workspace, "numbers", "green", m.DeploymentLogsRequest(tail=10))
assert "listening" in logs.content

ml.online_endpoints.begin_regenerate_keys(
    group, workspace, "numbers", m.RegenerateEndpointKeysRequest(key_type="Primary")
).result()
assert score({})[0] == 401
assert score({}, ml.online_endpoints.list_keys(group, workspace, "numbers").primary_key)[0] == 200

# A deployment whose server does not get ready fails, and what answered goes on.
broken = deployment_of("three")
broken.properties.environment_variables["ISOBAR_POCKET_COMMAND"] = "exit 7"
try:
    ml.online_deployments.begin_create_or_update(group, workspace, "numbers", "broken", broken).result()
    raise AssertionError("a broken deployment succeeded")
except HttpResponseError:
    pass
assert ml.online_deployments.get(group, workspace, "numbers", "broken").properties.provisioning_state == "Failed"
assert score({}, keys.secondary_key)[2]["version"] == "two"
ml.online_endpoints.begin_delete(group, workspace, "numbers").result()
assert list(ml.online_endpoints.list(group, workspace)) == []

# ---------------------------------------------------------------- refusals
try:
    client_of(secret_credential("wrong")).workspaces.get(group, workspace)
    raise AssertionError("a wrong secret was taken")
except ClientAuthenticationError as e:
    assert "AADSTS7000215" in str(e), e


class Token:
    def __init__(self, token):
        self.token = token

    def get_token(self, *scopes, **more):
        from azure.core.credentials import AccessToken

        return AccessToken(self.token, int(time.time()) + 3600)


try:
    client_of(Token("no.token.ofours")).workspaces.get(group, workspace)
    raise AssertionError("a wrong token was taken")
except ClientAuthenticationError as e:
    assert e.status_code == 401, e
try:
    ml.workspaces.get("other-group", workspace)
    raise AssertionError("another group was found")
except ResourceNotFoundError as e:
    assert e.error.code == "ResourceGroupNotFound", e.error
# An app that may only read.
root = os.path.dirname(credentials_file)
with open(os.path.join(root, "apps.json"), "w") as f:
    json.dump([{"client_id": str(uuid.uuid4()), "client_secret": "of-the-reader", "name": "reader", "actions": ["*/read"]}], f)
with open(os.path.join(root, "apps.json")) as f:
    app = json.load(f)[0]
reader = client_of(
    ClientSecretCredential(
        given["tenant"],
        app["client_id"],
        app["client_secret"],
        authority=host,
        connection_verify=ca,
        disable_instance_discovery=True,
    )
)
assert reader.jobs.get(group, workspace, name).name == name
try:
    reader.jobs.create_or_update(group, workspace, "of-reader", command_job("true"))
    raise AssertionError("a reader made a job")
except HttpResponseError as e:
    assert e.status_code == 403 and e.error.code == "AuthorizationFailed", e
    assert "Microsoft.MachineLearningServices/workspaces/jobs/write" in e.error.message, e

# A token whose time is over.
credential = secret_credential(given["client_secret"])
old = Token(credential.get_token("https://management.azure.com/.default").token)
assert client_of(old).workspaces.get(group, workspace).name == workspace
subprocess.run([program, "pocket", "faults", root, "expire times=1"], check=True, stdout=subprocess.DEVNULL)
try:
    for _ in range(3):
        client_of(old).workspaces.get(group, workspace)
    raise AssertionError("an expired token was taken")
except ClientAuthenticationError as e:
    assert e.status_code == 401 and "ExpiredAuthenticationToken" in str(e), e
print("azure-mgmt-machinelearningservices: all well")
