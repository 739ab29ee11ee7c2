"""A failed import as somebody at a terminal redrives it, with the AWS CLI of this virtual environment."""

import json
import subprocess

from terminal import AWS, aws
from waiting import until

machines = {m["name"]: m["stateMachineArn"] for m in aws("stepfunctions", "list-state-machines")["stateMachines"]}
queue = aws("sqs", "get-queue-url", "--queue-name", "imports")["QueueUrl"]
body = json.dumps({"import_id": "cli", "source": "s3://baton/uploads/cli.csv", "table": "people"})
message_id = aws("sqs", "send-message", "--queue-url", queue, "--message-body", body)["MessageId"]
arn = machines["import"].replace(":stateMachine:", ":execution:") + f":cli-{message_id}"


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
