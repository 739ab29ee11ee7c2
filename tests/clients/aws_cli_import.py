"""An import as somebody at a terminal sees it, with the AWS CLI of this virtual environment."""

import pathlib
import subprocess
import tempfile

from terminal import AWS, aws
from waiting import until

machines = {m["name"]: m["stateMachineArn"] for m in aws("stepfunctions", "list-state-machines")["stateMachines"]}
with tempfile.TemporaryDirectory() as folder:
    file = pathlib.Path(folder, "people.csv")
    file.write_text("id,name\n1,a\n2,b\n")
    subprocess.run([*AWS, "s3", "cp", file, "s3://baton/imports/people/cli.csv"], check=True, capture_output=True, timeout=60)


def succeeded():
    return aws("stepfunctions", "list-executions", "--state-machine-arn", machines["import"], "--status-filter", "SUCCEEDED")["executions"]


[execution] = until("the import to succeed", succeeded)
history = aws("stepfunctions", "get-execution-history", "--execution-arn", execution["executionArn"])["events"]
assert history[-1]["type"] == "ExecutionSucceeded", history
attributes = aws("sqs", "get-queue-attributes", "--queue-url", aws("sqs", "get-queue-url", "--queue-name", "imports")["QueueUrl"], "--attribute-names", "All")
assert "RedrivePolicy" in attributes["Attributes"], attributes
[task] = aws("ecs", "list-tasks", "--cluster", "default", "--desired-status", "STOPPED")["taskArns"]
group, stream = "/ecs/import-worker", f"worker/worker/{task.split('/')[-1]}"
events = aws("logs", "get-log-events", "--log-group-name", group, "--log-stream-name", stream, "--limit", "1")["events"]
assert len(events) == 1 and "Reported the end" in events[0]["message"], events
# What `aws logs tail` of version 2 asks for.
tail = ["logs", "filter-log-events", "--log-group-name", group, "--start-time", str(events[0]["timestamp"]), "--interleaved"]
assert aws(*tail, "--log-stream-name-prefix", "worker/")["events"][-1]["message"] == events[0]["message"]
listing = subprocess.run([*AWS, "s3", "ls", "s3://baton/imports/people/"], check=True, capture_output=True, text=True, timeout=60)
assert "cli.csv" in listing.stdout, listing
assert "UnknownOperationException" in aws("sqs", "add-permission", "--queue-url", "x", "--label", "l", "--aws-account-ids", "1", "--actions", "SendMessage", fails=True)
