"""An import as a Python program sees it: upload, follow, inspect, and a message that fails. Endpoint and keys come from the
environment, as `baton up` prints them."""

import json

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from waiting import until

s3, sqs, sfn, ecs, functions, logs = (boto3.client(name) for name in ("s3", "sqs", "stepfunctions", "ecs", "lambda", "logs"))


def error_of(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    raise AssertionError("the call went through")


bucket = s3.list_buckets()["Buckets"][0]["Name"]
machine = next(m["stateMachineArn"] for m in sfn.list_state_machines()["stateMachines"] if m["name"] == "import")
# What comes behind an empty object on the same connection is answered as well.
quick = boto3.client("s3", config=Config(read_timeout=10, retries={"max_attempts": 0}))
for body in (b"", b"abc", b"", b""):
    quick.put_object(Bucket=bucket, Key="uploads/empty or not", Body=body)
    assert quick.head_object(Bucket=bucket, Key="uploads/empty or not")["ContentLength"] == len(body)

s3.put_object(Bucket=bucket, Key="imports/people/from boto3.csv", Body=b"id,name\n1,a\n2,b\n")


def succeeded():
    return sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]


execution = until("the execution", succeeded)[0]
described = sfn.describe_execution(executionArn=execution["executionArn"])
report = json.loads(described["output"])
assert report["result"]["rows"] == 2 and report["outcome"] == "DONE", report
events = sfn.get_execution_history(executionArn=execution["executionArn"])["events"]
assert [e["id"] for e in events] == list(range(1, len(events) + 1)), events
assert events[0]["type"] == "ExecutionStarted" and events[-1]["type"] == "ExecutionSucceeded", events
submitted = next(e["taskSubmittedEventDetails"] for e in events if e["type"] == "TaskSubmitted")
task_arn = json.loads(submitted["output"])["Tasks"][0]["TaskArn"]


def stopped():
    [task] = ecs.describe_tasks(cluster="default", tasks=[task_arn])["tasks"]
    return task if task["lastStatus"] == "STOPPED" else None


task = until("the task to stop", stopped)
assert task["containers"][0]["exitCode"] == 0, task

# The task definition says where its lines are.
definition = ecs.describe_task_definition(taskDefinition=task["taskDefinitionArn"])["taskDefinition"]["containerDefinitions"][0]
assert definition["logConfiguration"]["logDriver"] == "awslogs", definition
options = definition["logConfiguration"]["options"]
group = options["awslogs-group"]
assert [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]] == [group]
stream = "/".join([options["awslogs-stream-prefix"], definition["name"], task_arn.split("/")[-1]])
assert [s["logStreamName"] for s in logs.describe_log_streams(logGroupName=group)["logStreams"]] == [stream]
read = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
messages = [json.loads(e["message"])["message"] for e in read["events"]]
assert messages[0] == "Claimed the import as attempt 1", messages
again = logs.get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True, nextToken=read["nextForwardToken"])
assert (again["events"], again["nextForwardToken"]) == ([], read["nextForwardToken"]), again
pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group, PaginationConfig={"PageSize": 2})
filtered = [e for page in pages for e in page["events"]]
assert [json.loads(e["message"])["message"] for e in filtered] == messages, filtered
assert len({e["eventId"] for e in filtered}) == len(filtered), filtered

queue = sqs.get_queue_url(QueueName="imports")["QueueUrl"]
dead_letters = sqs.get_queue_url(QueueName="imports-dead-letter")["QueueUrl"]
sent = sqs.send_message(QueueUrl=queue, MessageBody="noise", MessageAttributes={"Who": {"DataType": "String", "StringValue": "boto3"}})
[letter] = sqs.receive_message(QueueUrl=dead_letters, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
assert letter["MessageAttributes"]["Error"]["StringValue"] == "Message.Invalid", letter
assert letter["MessageAttributes"]["MessageId"]["StringValue"] == sent["MessageId"], letter
sqs.delete_message(QueueUrl=dead_letters, ReceiptHandle=letter["ReceiptHandle"])

assert [f["FunctionName"] for f in functions.list_functions()["Functions"]] == ["start-import"]
[mapping] = functions.list_event_source_mappings()["EventSourceMappings"]
assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], mapping

# What is not there, and what is not implemented, has AWS's names.
assert error_of(sqs.get_queue_url, QueueName="nothing") == "AWS.SimpleQueueService.NonExistentQueue"
assert error_of(sfn.describe_execution, executionArn=execution["executionArn"] + "x") == "ExecutionDoesNotExist"
assert error_of(sfn.start_execution, stateMachineArn=machine, name=execution["name"]) == "ExecutionAlreadyExists"
assert error_of(sfn.send_task_success, taskToken="none", output="{}") == "InvalidToken"
assert error_of(logs.get_log_events, logGroupName=group, logStreamName=stream + "0") == "ResourceNotFoundException"
assert error_of(logs.delete_log_group, logGroupName=group) == "UnknownOperationException"
assert error_of(sfn.delete_state_machine, stateMachineArn=machine) == "UnknownOperationException"
assert error_of(s3.get_object, Bucket=bucket, Key="nothing") == "NoSuchKey"
