"""A failed import as somebody at a terminal redrives it, with the AWS CLI of this virtual environment."""

import json
import os
import pathlib
import subprocess
import sys
import time

AWS = [sys.executable, pathlib.Path(sys.executable).with_name("aws"), "--endpoint-url", os.environ["AWS_ENDPOINT_URL"]]


def aws(*arguments, fails=False):
    command = [*AWS, *arguments, "--output", "json"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode != 0) == fails, ended
    return ended.stderr if fails else json.loads(ended.stdout or "null")


machines = {m["name"]: m["stateMachineArn"] for m in aws("stepfunctions", "list-state-machines")["stateMachines"]}
queue = aws("sqs", "get-queue-url", "--queue-name", "imports")["QueueUrl"]
body = json.dumps({"import_id": "cli", "source": "s3://baton/uploads/cli.csv", "table": "people"})
message_id = aws("sqs", "send-message", "--queue-url", queue, "--message-body", body)["MessageId"]
arn = machines["import"].replace(":stateMachine:", ":execution:") + f":cli-{message_id}"


def until(what, look):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if seen := look():
            return seen
    raise TimeoutError(f"waited 60 s for {what}")


def ended(redrives):
    def look():
        listed = aws("stepfunctions", "list-executions", "--state-machine-arn", machines["import"])["executions"]
        return [e for e in listed if e["executionArn"] == arn and e["status"] != "RUNNING" and e["redriveCount"] == redrives]

    return until("the execution to end", look)[0]


def settled(failures):
    """Whoever redrives at once overtakes the execution that copies the message."""

    def look():
        listed = aws("stepfunctions", "list-executions", "--state-machine-arn", machines["dead-letter"])["executions"]
        return len(listed) >= failures and all(e["status"] == "SUCCEEDED" for e in listed)

    until("the message to be settled", look)


assert ended(0)["status"] == "FAILED"
settled(failures=1)
aws("stepfunctions", "redrive-execution", "--execution-arn", arn)
assert ended(1)["status"] == "FAILED"
settled(failures=2)
put = [*AWS, "s3", "cp", "-", "s3://baton/uploads/cli.csv"]
subprocess.run(put, check=True, capture_output=True, timeout=60, input=b"id,name\n1,a\n2,b\n")
aws("stepfunctions", "redrive-execution", "--execution-arn", arn)
assert ended(2)["status"] == "SUCCEEDED"
refused = aws("stepfunctions", "redrive-execution", "--execution-arn", arn, fails=True)
assert "ExecutionNotRedrivable" in refused, refused
