"""Two messages with a trace header, as a traced program sends them: one of X-Ray's form, and one that is anything but. The first
is the header of its execution."""

import json

import boto3

from waiting import until

s3, sqs, sfn = (boto3.client(name) for name in ("s3", "sqs", "stepfunctions"))
bucket = s3.list_buckets()["Buckets"][0]["Name"]
queue = sqs.get_queue_url(QueueName="imports")["QueueUrl"]
machine = next(m["stateMachineArn"] for m in sfn.list_state_machines()["stateMachines"] if m["name"] == "import")
HEADER = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


def imported(import_id, header):
    source = f"s3://{bucket}/uploads/{import_id}.csv"
    body = {"import_id": import_id, "source": source, "table": "people"}
    attribute = {"AWSTraceHeader": {"DataType": "String", "StringValue": header}}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(body), MessageSystemAttributes=attribute)

    def succeeded():
        executions = sfn.list_executions(stateMachineArn=machine, statusFilter="SUCCEEDED")["executions"]
        return [e for e in executions if e["name"].startswith(import_id)]

    [execution] = until("the execution", succeeded)
    return sfn.describe_execution(executionArn=execution["executionArn"])


described = imported("traced", HEADER)
assert described["traceHeader"] == HEADER, described
assert json.loads(described["input"])["message"]["trace_header"] == HEADER, described
described = imported("hostile", "Root=1-5759e988-bd862e3fe1be46a994272793\", \"level\": \"ERROR")
assert described["traceHeader"].startswith("Root=1-") and "5759e988" not in described["traceHeader"], described
