# SPDX-License-Identifier: Apache-2.0
"""boto3, unmodified, against SageMaker, its runtime and CloudWatch Logs of a pocket cloud."""
import collections
import io
import json
import sys
import tarfile
import time

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

url, credentials_file = sys.argv[1:3]
with open(credentials_file) as f:
    own = json.load(f)
account = own["account"]


def client(service, keys=None, **config):
    keys = keys or {"AccessKeyId": own["access_key_id"], "SecretAccessKey": own["secret_access_key"]}
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys.get("SessionToken"),
        config=Config(retries={"max_attempts": 1}, **config))


def fails(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as e:
        assert e.response["Error"]["Code"] == code, e.response
        return e.response
    raise AssertionError("it should have failed with " + code)


sm, runtime, logs, s3 = client("sagemaker"), client("sagemaker-runtime"), client("logs"), client("s3")
iam, sts = client("iam"), client("sts")
role = own["role"]
s3.create_bucket(Bucket="lake")
s3.put_object(Bucket="lake", Key="in/a/one.txt", Body=b"one")
s3.put_object(Bucket="lake", Key="in/two.txt", Body=b"two")


# ---------------------------------------------------------------- training jobs
def train(name, script, by=sm, **more):
    request = {
        "TrainingJobName": name, "RoleArn": role,
        "AlgorithmSpecification": {
            "TrainingImage": f"{account}.dkr.ecr.us-east-1.amazonaws.com/mine:1", "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        "InputDataConfig": [{"ChannelName": "train", "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/in/"}}}],
        "OutputDataConfig": {"S3OutputPath": "s3://lake/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 100}, "HyperParameters": {"epochs": "3"}}
    request.update(more)
    return by.create_training_job(**request)


def until(what, seconds=60):
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)
    return found


def trained(name):
    def look():
        job = sm.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] not in ("InProgress", "Stopping") else None
    return until(look)


arn = train("first", "echo hello; echo err >&2; cat $SM_CHANNEL_TRAIN/a/one.txt > $SM_MODEL_DIR/w; mkdir $SM_MODEL_DIR/sub; "
            "cp $SM_INPUT_CONFIG_DIR/hyperparameters.json $SM_MODEL_DIR/sub/hp; echo $SM_HP_EPOCHS; "
            "test -n \"$AWS_CONTAINER_CREDENTIALS_FULL_URI\"", Tags=[{"Key": "a", "Value": "1"}])["TrainingJobArn"]
job = trained("first")
assert job["TrainingJobStatus"] == "Completed", job
steps = [t["Status"] for t in job["SecondaryStatusTransitions"]]
assert steps[:2] == ["Starting", "Downloading"] and steps[-2:] == ["Uploading", "Completed"], steps
assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://lake/out/first/output/model.tar.gz"
body = s3.get_object(Bucket="lake", Key="out/first/output/model.tar.gz")["Body"].read()
with tarfile.open(fileobj=io.BytesIO(body)) as archive:
    assert archive.getnames() == ["sub/hp", "w"], archive.getnames()
    assert archive.extractfile("w").read() == b"one"
    assert json.load(archive.extractfile("sub/hp")) == {"epochs": "3"}
sm.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="first")
assert sm.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "1"}]
group = "/aws/sagemaker/TrainingJobs"
stream = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="first/")["logStreams"][0]["logStreamName"]
page = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
assert sorted(e["message"] for e in page["events"]) == ["3", "err", "hello"], page
again = logs.get_log_events(
    logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=page["nextForwardToken"])
assert not again["events"] and again["nextForwardToken"] == page["nextForwardToken"]
pages = logs.get_paginator("filter_log_events").paginate(
    logGroupName=group, logStreamNames=[stream], filterPattern='?hello ?"3"', PaginationConfig={"PageSize": 1})
assert sorted(e["message"] for p in pages for e in p["events"]) == ["3", "hello"]
assert [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]] == [group]

fails("ResourceInUse", train, name="first", script="true")
fails("ValidationException", train, name="-wrong", script="true")
fails("ValidationException", sm.describe_training_job, TrainingJobName="none")
fails("ValidationException", sm.stop_training_job, TrainingJobName="first")
train("fails", "exit 3")
assert trained("fails")["FailureReason"] == "AlgorithmError: , exit code: 3"
nothing = [{"ChannelName": "train", "DataSource": {
    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://lake/none/"}}}]
train("no-data", "true", InputDataConfig=nothing)
assert "No S3 objects found" in trained("no-data")["FailureReason"]
train("stops", "sleep 1000")
until(lambda: sm.describe_training_job(TrainingJobName="stops")["SecondaryStatus"] == "Training")
sm.stop_training_job(TrainingJobName="stops")
job = trained("stops")
assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped"), job
train("late", "sleep 1000", StoppingCondition={"MaxRuntimeInSeconds": 1})
assert trained("late")["SecondaryStatus"] == "MaxRuntimeExceeded"
names = [j["TrainingJobName"] for p in sm.get_paginator("list_training_jobs").paginate(
    SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 2}) for j in p["TrainingJobSummaries"]]
assert names == ["stops", "no-data", "late", "first", "fails"], names
sm.delete_training_job(TrainingJobName="late")
fails("ValidationException", sm.describe_training_job, TrainingJobName="late")

# ---------------------------------------------------------------- processing jobs
sm.create_processing_job(
    ProcessingJobName="p", RoleArn=role,
    AppSpecification={"ImageUri": "mine", "ContainerEntrypoint": [
        "/bin/sh", "-c", "mkdir -p $SM_PROCESSING_DIR/result; cat $SM_PROCESSING_DIR/in/two.txt > $SM_PROCESSING_DIR/result/x"]},
    ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    ProcessingInputs=[{"InputName": "i", "S3Input": {
        "S3Uri": "s3://lake/in", "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix", "S3InputMode": "File"}}],
    ProcessingOutputConfig={"Outputs": [{"OutputName": "o", "S3Output": {
        "S3Uri": "s3://lake/processed", "LocalPath": "/opt/ml/processing/result", "S3UploadMode": "EndOfJob"}}]})
until(lambda: sm.describe_processing_job(ProcessingJobName="p")["ProcessingJobStatus"] != "InProgress")
job = sm.describe_processing_job(ProcessingJobName="p")
assert job["ProcessingJobStatus"] == "Completed", job
assert s3.get_object(Bucket="lake", Key="processed/x")["Body"].read() == b"two"
fails("ResourceNotFound", sm.describe_processing_job, ProcessingJobName="none")


# ---------------------------------------------------------------- endpoints
def model(name):
    sm.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer={"Image": "mine", "Environment": {"TAG": name}})


def configuration(name, *variants):
    sm.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[
        {"VariantName": v, "ModelName": m, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large",
         "InitialVariantWeight": w} for v, m, w in variants])


def at_rest():
    def look():
        endpoint = sm.describe_endpoint(EndpointName="e")
        return endpoint if endpoint["EndpointStatus"] in ("InService", "Failed") else None
    return until(look)


def ask(body=b"hi", by=runtime, **more):
    answer = by.invoke_endpoint(EndpointName="e", Body=body, ContentType="text/plain", **more)
    return answer["Body"].read(), answer["InvokedProductionVariant"], answer["CustomAttributes"]


for name in ("one", "two", "dies"):
    model(name)
configuration("c1", ("a", "one", 1))
configuration("c2", ("a", "one", 3), ("b", "two", 1))
configuration("c3", ("a", "dies", 1))
sm.create_endpoint(EndpointName="e", EndpointConfigName="c1")
assert at_rest()["EndpointStatus"] == "InService"
assert ask(CustomAttributes="mine") == (b"one:hi", "a", "mine!")
sm.update_endpoint(EndpointName="e", EndpointConfigName="c2")
assert ask()[0] in (b"one:hi", b"two:hi")  # never without an answer
assert at_rest()["EndpointConfigName"] == "c2"
counts = collections.Counter(ask()[1] for _ in range(100))
assert counts["a"] > counts["b"] > 0, counts
assert ask(TargetVariant="b")[0] == b"two:hi"
sm.update_endpoint_weights_and_capacities(EndpointName="e", DesiredWeightsAndCapacities=[
    {"VariantName": "a", "DesiredWeight": 0}, {"VariantName": "b", "DesiredWeight": 5, "DesiredInstanceCount": 2}])
variants = {v["VariantName"]: v for v in at_rest()["ProductionVariants"]}
assert variants["b"]["CurrentInstanceCount"] == 2, variants
assert {ask()[1] for _ in range(10)} == {"b"}
sm.update_endpoint(EndpointName="e", EndpointConfigName="c3")
endpoint = at_rest()
assert endpoint["EndpointConfigName"] == "c2" and "ping health check" in endpoint["FailureReason"], endpoint
error = fails("ModelError", ask, body=b"fail")
assert (error["OriginalStatusCode"], error["OriginalMessage"]) == (500, "it broke"), error
fails("ValidationError", runtime.invoke_endpoint, EndpointName="none", Body=b"")
fails("ValidationError", ask, TargetVariant="none")
streams = logs.describe_log_streams(logGroupName="/aws/sagemaker/Endpoints/e")["logStreams"]
assert streams and all(s["logStreamName"].startswith(("a/i-", "b/i-")) for s in streams)

# ---------------------------------------------------------------- who may not
wrong = {"AccessKeyId": own["access_key_id"], "SecretAccessKey": "another"}
fails("InvalidSignatureException", client("sagemaker", wrong).list_models)
fails("InvalidSignatureException", ask, by=client("sagemaker-runtime", wrong))
fails("UnrecognizedClientException", client("sagemaker", {"AccessKeyId": "AKIANONE", "SecretAccessKey": "x"}).list_models)
trust = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}]})
caller = iam.create_role(RoleName="caller", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
iam.put_role_policy(RoleName="caller", PolicyName="p", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint"],
     "Resource": f"arn:aws:sagemaker:us-east-1:{account}:endpoint/e"}]}))
keys = sts.assume_role(RoleArn=caller, RoleSessionName="test")["Credentials"]
assert ask(by=client("sagemaker-runtime", keys))[0] == b"two:hi"
limited = client("sagemaker", keys)
assert limited.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"
for call, arguments in ((limited.list_endpoints, {}), (limited.delete_endpoint, {"EndpointName": "e"}),
                        (limited.describe_endpoint, {"EndpointName": "f"})):
    assert "is not authorized to perform: sagemaker:" in fails("AccessDeniedException", call, **arguments)["Error"]["Message"]
fails("AccessDeniedException", train, name="denied", script="true", by=limited)
fails("AccessDeniedException", client("logs", keys).describe_log_groups)

# ---------------------------------------------------------------- ends
sm.delete_endpoint(EndpointName="e")
until(lambda: not sm.list_endpoints()["Endpoints"])
fails("ValidationException", sm.describe_endpoint, EndpointName="e")
for name in ("c1", "c2", "c3"):
    sm.delete_endpoint_config(EndpointConfigName=name)
for name in ("one", "two", "dies"):
    sm.delete_model(ModelName=name)
assert not sm.list_models()["Models"] and not sm.list_endpoint_configs()["EndpointConfigs"]
print("boto3 sagemaker, sagemaker-runtime and logs: all as expected")
