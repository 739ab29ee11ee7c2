"""A failed import as a Python program redrives it, as often as needed; and what becomes of the dead letter, which Step
Functions knows nothing of. Endpoint and keys come from the environment, as `baton up` prints them."""

import json

import boto3
from botocore.exceptions import ClientError

from waiting import until

s3, sqs, sfn = (boto3.client(name) for name in ("s3", "sqs", "stepfunctions"))
machines = {m["name"]: m["stateMachineArn"] for m in sfn.list_state_machines()["stateMachines"]}
machine = machines["import"]
queue, letters = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in ("imports", "imports-dead-letter"))


def ended(arn):
    def look():
        try:
            execution = sfn.describe_execution(executionArn=arn)
        except sfn.exceptions.ExecutionDoesNotExist:
            return None
        return execution if execution["status"] != "RUNNING" else None

    return until(f"the end of {arn}", look)


def count(url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


def settled(failures):
    """Whoever redrives at once overtakes the execution that copies the message."""

    def look():
        statuses = [e["status"] for e in sfn.list_executions(stateMachineArn=machines["dead-letter"])["executions"]]
        return len(statuses) >= failures and set(statuses) == {"SUCCEEDED"}

    until("the message to be settled", look)


body = {"import_id": "boto3", "source": "s3://baton/uploads/late.csv", "table": "people"}
message_id = sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body))["MessageId"]
arn = machine.replace(":stateMachine:", ":execution:") + f":boto3-{message_id}"
failed = ended(arn)
assert (failed["status"], failed["error"]) == ("FAILED", "Import.SourceMissing"), failed
assert (failed["redriveStatus"], failed["redriveCount"]) == ("REDRIVABLE", 0), failed
settled(failures=1)

# The file is still missing: it fails again, and can be redriven again.
first = sfn.redrive_execution(executionArn=arn, clientToken="once")
assert first == {**sfn.redrive_execution(executionArn=arn, clientToken="once"), "ResponseMetadata": first["ResponseMetadata"]}
failed = ended(arn)
assert (failed["status"], failed["redriveCount"]) == ("FAILED", 1), failed
settled(failures=2)

s3.put_object(Bucket="baton", Key="uploads/late.csv", Body=b"id,name\n1,a\n2,b\n")
sfn.redrive_execution(executionArn=arn)
succeeded = ended(arn)
assert (succeeded["status"], succeeded["redriveCount"]) == ("SUCCEEDED", 2), succeeded
report = json.loads(succeeded["output"])
assert (report["result"]["rows"], report["attempt"], report["outcome"]) == (2, 3, "DONE"), report
try:
    sfn.redrive_execution(executionArn=arn)
    raise AssertionError("an execution that has succeeded was redriven")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ExecutionNotRedrivable", error

# Moved back as SQS's console does it, the dead letter finds that nothing is left to do.
before = {e["executionArn"] for e in sfn.list_executions(stateMachineArn=machine)["executions"]}
assert count(letters) >= 1
source, target = (
    sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"] for url in (letters, queue)
)
sqs.start_message_move_task(SourceArn=source, DestinationArn=target)


def moved():
    arns = {e["executionArn"] for e in sfn.list_executions(stateMachineArn=machine)["executions"]}
    return arns - before if count(queue) == 0 and count(letters) == 0 else None


for arn in until("the moved message to be settled", moved):
    duplicate = ended(arn)
    assert json.loads(duplicate["output"])["outcome"] == "DUPLICATE", duplicate
