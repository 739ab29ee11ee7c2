"""What interpreters that nobody here wrote make of state machines: moto's of the States Language (it is LocalStack's), with
jsonata-python's of JSONata; and moto's of the patterns of EventBridge. Needs no network, and no time passes: waits are
written down instead.

interpreter.py run     reads stories, a JSON list of {"definition": "…", "input": {…}, "answers": {"State": [{"Return": …},
                       {"Throw": {"Error": "…", "Cause": "…"}}]}}; prints for each what happened, as `told` below has it
interpreter.py match   reads {"pattern": {…}, "events": […]}; prints for each event whether the pattern matches
"""

import functools
import json
import random
import sys
import time

import boto3
import jsonata
from moto import mock_aws
from moto.core.config import default_user_config
from moto.events.models import EventPattern
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.common.error_name.custom_error_name import CustomErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import mock_eval_utils
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.backend import execution
from moto.stepfunctions.parser.mocking.mock_config import (
    MockedResponseReturn,
    MockedResponseThrow,
    MockTestCase,
    StateMockedResponses,
)

# Names are those of the embedded stack's own tests, so that ARNs are equal.
REGION, MACHINE, EXECUTION = "eu-west-1", "import", "e-1"
ROLE = "arn:aws:iam::123456789012:role/import"
LIMIT_SECONDS = 60

Worker = execution.ExecutionWorker


def evaluate(expression):
    """JSONata, which moto leaves to whoever brings an implementation."""
    try:
        parsed = jsonata.Jsonata(expression)
        # Step Functions' own function, which no implementation of the language has.
        parsed.register_lambda("parse", json.loads)
        return json.loads(json.dumps(parsed.evaluate(None)))
    except Exception as error:
        raise moto_jsonata.JSONataException("UNKNOWN", str(error)) from error


def error_name(name):
    """moto takes every mocked error for one of the state machine's own."""
    return StatesErrorName.from_name(name) if name.startswith("States.") else CustomErrorName(name)


def answer(number, given):
    if "Throw" in given:
        return MockedResponseThrow(number, number, given["Throw"]["Error"], given["Throw"]["Cause"])
    return MockedResponseReturn(number, number, given["Return"])


def answers(story):
    states = [
        StateMockedResponses(state, state, [answer(*numbered) for numbered in enumerate(given)])
        for state, given in story["answers"].items()
    ]
    return MockTestCase(MACHINE, "story", states)


def details(history, field):
    return [event[field] for event in history if field in event]


def run(states, story):
    waits = []
    retrier_decl.time = type("Clock", (), {"sleep": staticmethod(waits.append)})
    execution.ExecutionWorker = functools.partial(Worker, mock_test_case=answers(story))
    machine = states.create_state_machine(name=MACHINE, definition=story["definition"], roleArn=ROLE)
    started = states.start_execution(
        stateMachineArn=machine["stateMachineArn"], name=EXECUTION, input=json.dumps(story["input"])
    )
    arn, deadline = started["executionArn"], time.monotonic() + LIMIT_SECONDS
    while (told := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
        if time.monotonic() > deadline:
            raise TimeoutError(f"the execution still runs: {story['answers']}")
        time.sleep(0.02)
    history = states.get_execution_history(executionArn=arn, maxResults=1000)["events"]
    states.delete_state_machine(stateMachineArn=machine["stateMachineArn"])
    return {
        "status": told["status"],
        "output": json.loads(told.get("output", "null")),
        "error": told.get("error"),
        "cause": told.get("cause"),
        "states": [entered["name"] for entered in details(history, "stateEnteredEventDetails")],
        # A mocked job that fails is never submitted.
        "events": [event["type"] for event in history if event["type"] != "TaskSubmitted"],
        "calls": [
            {
                "resource": f"{call['resourceType']}:{call['resource']}",
                "arguments": json.loads(call["parameters"]),
                "timeout": call.get("timeoutInSeconds"),
                "heartbeat": call.get("heartbeatInSeconds"),
            }
            for call in details(history, "taskScheduledEventDetails")
        ],
        "waits": waits,
    }


def main(verb):
    given = json.load(sys.stdin)
    if verb == "run":
        moto_jsonata._eval_jsonata = evaluate
        mock_eval_utils.CustomErrorName = error_name
        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        # Jitter waits at most the whole interval: that is what is told of it.
        random.uniform = lambda least, most: most
        # It would read each definition twice, which is what takes its time.
        models.StepFunctionsParserBackend._validate_definition = staticmethod(lambda definition: None)
        with mock_aws():
            states = boto3.client("stepfunctions", REGION, aws_access_key_id="test", aws_secret_access_key="test")
            told = [run(states, story) for story in given]
    elif verb == "match":
        pattern = EventPattern(None, given["pattern"])
        told = [pattern.matches_event(event) for event in given["events"]]
    else:
        sys.exit(__doc__)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
