"""An import as somebody at a terminal sees it, with the AWS CLI of this virtual environment. The endpoint is named at
each call: version 1 of the CLI does not take SQS's from the environment."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

AWS = [sys.executable, pathlib.Path(sys.executable).with_name("aws"), "--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]


def aws(*arguments, fails=False):
    ended = subprocess.run([*AWS, *arguments, "--output", "json"], capture_output=True, text=True, timeout=60)
    assert (ended.returncode != 0) == fails, ended
    return ended.stderr if fails else json.loads(ended.stdout or "null")


machines = {m["name"]: m["stateMachineArn"] for m in aws("stepfunctions", "list-state-machines")["stateMachines"]}
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder, "people.csv")
    file.write_text("id,name\n1,a\n2,b\n")
    subprocess.run([*AWS, "s3", "cp", file, "s3://baton/imports/people/cli.csv"], check=True, capture_output=True, timeout=60)

deadline = time.monotonic() + 60
executions = []
while not executions and time.monotonic() < deadline:
    listed = aws("stepfunctions", "list-executions", "--state-machine-arn", machines["import"], "--status-filter", "SUCCEEDED")
    executions = listed["executions"]
[execution] = executions
history = aws("stepfunctions", "get-execution-history", "--execution-arn", execution["executionArn"])["events"]
assert history[-1]["type"] == "ExecutionSucceeded", history
attributes = aws("sqs", "get-queue-attributes", "--queue-url", aws("sqs", "get-queue-url", "--queue-name", "imports")["QueueUrl"], "--attribute-names", "All")
assert "RedrivePolicy" in attributes["Attributes"], attributes
assert aws("ecs", "list-tasks", "--cluster", "default", "--desired-status", "STOPPED")["taskArns"]
listing = subprocess.run([*AWS, "s3", "ls", "s3://baton/imports/people/"], check=True, capture_output=True, text=True, timeout=60)
assert "cli.csv" in listing.stdout, listing
assert "UnknownOperationException" in aws("sqs", "add-permission", "--queue-url", "x", "--label", "l", "--aws-account-ids", "1", "--actions", "SendMessage", fails=True)
