//! Every path through `dead-letter.asl.json`.

use local_stack::states::definition::Resource;
use local_stack::states::execution::Status;
use serde_json::{Value, json};

use crate::core::{Run, dead_letter_definition, import_input, message};

/// The dead-letter machine after `DescribeExecution` has answered; gives the message that it sends.
fn sent(description: Value) -> (Run, Value) {
    let mut run = Run::start(&dead_letter_definition(), json!({"execution_arn": "arn:e-1"}));
    let describe = run.invocation();
    assert_eq!(describe.resource, Resource::SfnDescribeExecution);
    assert_eq!(describe.arguments, json!({"ExecutionArn": "arn:e-1"}));
    run.succeed(&describe, description);
    let send = run.invocation();
    assert_eq!(send.resource, Resource::SqsSendMessage);
    let arguments = send.arguments.clone();
    run.succeed(&send, json!({"MessageId": "d-1"}));
    (run, arguments)
}

#[test]
fn an_event_starts_the_settling_execution_by_the_name_of_the_one_that_ended() {
    let mut run = Run::start(&dead_letter_definition(), event());
    let start = run.invocation();
    assert_eq!(start.resource, Resource::SfnStartExecution);
    // The machine's own ARN; the fixture calls every machine so.
    let machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:import";
    let input =
        r#"{"execution_arn":"arn:e-1","status":"FAILED","error":"Import.SourceMissing","cause":"gone"}"#;
    assert_eq!(start.arguments, json!({"StateMachineArn": machine, "Name": "e-1", "Input": input}));
    run.succeed(&start, json!({"ExecutionArn": "arn:d-1"}));
    assert_eq!(run.statuses(), [Status::Succeeded]);
}

#[test]
fn an_event_whose_settling_execution_exists_has_nothing_to_do() {
    let mut run = Run::start(&dead_letter_definition(), event());
    let start = run.invocation();
    run.fail(&start, "Sfn.ExecutionAlreadyExistsException", "exists");
    assert_eq!(run.statuses(), [Status::Succeeded], "and it is not tried again");
}

#[test]
fn an_event_whose_settling_execution_cannot_be_started_is_tried_again() {
    let mut run = Run::start(&dead_letter_definition(), event());
    let start = run.invocation();
    run.fail(&start, "Sfn.ThrottlingException", "slow down");
    run.pass(1.0);
    let start = run.invocation();
    assert_eq!(start.resource, Resource::SfnStartExecution);
}

fn event() -> Value {
    json!({"detail": {"executionArn": "arn:e-1", "name": "e-1", "status": "FAILED",
        "error": "Import.SourceMissing", "cause": "gone"}})
}

#[test]
fn an_execution_that_was_redriven_meanwhile_is_told_by_its_event() {
    let runs_again = description("RUNNING", None, None);
    let sent_for = |event: Value| {
        let mut input = json!({"execution_arn": "arn:e-1"});
        input.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        let mut run = Run::start(&dead_letter_definition(), input);
        let describe = run.invocation();
        run.succeed(&describe, runs_again.clone());
        run.invocation().arguments
    };
    let failed = sent_for(json!({"status": "FAILED", "error": "Import.SourceMissing", "cause": "no object"}));
    assert_eq!(attribute(&failed, "Error"), "Import.SourceMissing");
    assert_eq!(attribute(&failed, "Cause"), "no object");
    let stopped = sent_for(json!({"status": "ABORTED", "error": null, "cause": null}));
    assert_eq!(attribute(&stopped, "Error"), "States.ABORTED");
    assert_eq!(attribute(&stopped, "Cause"), "no cause was recorded");
    let cause = json!({"Overrides": {"Token": "t0k3n"}, "StoppedReason": "killed"}).to_string();
    let dead = sent_for(json!({"status": "FAILED", "error": "States.TaskFailed", "cause": cause}));
    assert_eq!(attribute(&dead, "Cause"), "the container stopped: killed");
    assert!(!dead.to_string().contains("t0k3n"));
}

#[test]
fn a_message_of_a_fifo_queue_keeps_its_group_and_is_copied_once() {
    let mut input = import_input();
    input["message"]["group_id"] = "g-1".into();
    let described = json!({"ExecutionArn": "arn:e-1", "Status": "FAILED", "Error": "Import.Internal",
        "Input": input.to_string()});
    let (_, arguments) = sent(described);
    assert_eq!(
        (&arguments["MessageGroupId"], &arguments["MessageDeduplicationId"]),
        (&json!("g-1"), &json!("m-1"))
    );
    let (_, arguments) = sent(description("FAILED", Some("Import.Internal"), None));
    assert_eq!(arguments.as_object().unwrap().len(), 3, "a standard queue takes no such ids: {arguments}");
}

#[test]
fn the_documented_events_start_their_settling_executions() {
    for event in documented_events() {
        let status = event["detail"]["status"].clone();
        let mut run = Run::start(&dead_letter_definition(), event);
        let start = run.invocation();
        assert_eq!(
            (&start.resource, &start.arguments["Name"]),
            (&Resource::SfnStartExecution, &json!("execution-name"))
        );
        let input: Value = serde_json::from_str(start.arguments["Input"].as_str().unwrap()).unwrap();
        let execution_arn =
            "arn:aws:states:us-east-1:012345678912:execution:state-machine-name:execution-name";
        assert_eq!((&input["execution_arn"], &input["status"]), (&json!(execution_arn), &status));
        // Error and cause are not among what is documented, and are asked for.
        let mut settling = Run::start(&dead_letter_definition(), input);
        let describe = settling.invocation();
        assert_eq!(describe.arguments, json!({"ExecutionArn": execution_arn}));
        settling.succeed(&describe, description("FAILED", Some("Import.SourceMissing"), Some("no object")));
        let send = settling.invocation();
        assert_eq!(attribute(&send.arguments, "Error"), "Import.SourceMissing");
        assert_eq!(attribute(&send.arguments, "Cause"), "no object");
    }
}

/// Those of executions that ended without success; each as it is, and as it is where the input was too large for it.
pub(crate) fn documented_events() -> Vec<Value> {
    let text = include_str!("../../../../statemachine/tests/events/execution-status-change.json");
    let mut documented: Value = serde_json::from_str(text).unwrap();
    let ended = |event: &Value| !matches!(event["detail"]["status"].as_str(), Some("RUNNING" | "SUCCEEDED"));
    let events: Vec<Value> =
        documented["events"].as_array_mut().unwrap().drain(..).filter(|event| ended(event)).collect();
    assert_eq!(events.len(), 3);
    let without_input = events.iter().cloned().map(|mut event| {
        event["detail"]["input"] = Value::Null;
        event["detail"]["inputDetails"]["included"] = false.into();
        event
    });
    events.iter().cloned().chain(without_input).collect()
}

/// A task that ran to its end under `.sync`, as AWS gives it.
pub(crate) fn recorded_task() -> Value {
    let text = include_str!("../../../../statemachine/tests/events/ecs-task.json");
    serde_json::from_str::<Value>(text).unwrap()["task"].take()
}

#[test]
fn the_recorded_task_of_a_dead_container_gives_its_reason_and_nothing_of_its_environment() {
    let mut task = recorded_task();
    task["Containers"][0]["ExitCode"] = 137.into();
    task["Overrides"]["ContainerOverrides"][0]["Environment"] =
        json!([{"Name": "TASK_TOKEN", "Value": "t0k3n"}]);
    let (_, arguments) = sent(description("FAILED", Some("States.TaskFailed"), Some(&task.to_string())));
    assert_eq!(
        attribute(&arguments, "Cause"),
        "the container stopped: Essential container in task exited, exit code 137"
    );
    assert!(!arguments.to_string().contains("t0k3n"));
}

fn description(status: &str, error: Option<&str>, cause: Option<&str>) -> Value {
    let mut description =
        json!({"ExecutionArn": "arn:e-1", "Status": status, "Input": import_input().to_string()});
    for (field, text) in [("Error", error), ("Cause", cause)] {
        if let Some(text) = text {
            description[field] = text.into();
        }
    }
    description
}

fn attribute<'a>(arguments: &'a Value, name: &str) -> &'a str {
    arguments["MessageAttributes"][name]["StringValue"].as_str().unwrap()
}

#[test]
fn the_message_is_copied_with_its_reason_and_then_deleted() {
    let (mut run, arguments) =
        sent(description("FAILED", Some("Import.HeaderMismatch"), Some("no column `name`")));
    assert_eq!(arguments["QueueUrl"], "http://q/dead");
    assert_eq!(arguments["MessageBody"], message()["body"]);
    assert_eq!(attribute(&arguments, "Error"), "Import.HeaderMismatch");
    assert_eq!(attribute(&arguments, "Cause"), "no column `name`");
    assert_eq!(attribute(&arguments, "ExecutionArn"), "arn:e-1");
    assert_eq!(attribute(&arguments, "MessageId"), "m-1");
    let delete = run.invocation();
    assert_eq!(delete.resource, Resource::SqsDeleteMessage);
    assert_eq!(delete.arguments, json!({"QueueUrl": "http://q/imports", "ReceiptHandle": "handle-1"}));
    run.succeed(&delete, json!({}));
    assert_eq!(run.statuses(), [Status::Succeeded]);
}

#[test]
fn the_cause_of_a_dead_container_never_passes_its_token_on() {
    let cause = json!({
        "Containers": [{"ExitCode": 137, "Name": "worker", "Reason": "OutOfMemoryError: killed"}],
        "Overrides": {"ContainerOverrides": [{"Environment": [{"Name": "TASK_TOKEN", "Value": "t0k3n"}]}]},
        "StoppedReason": "Essential container in task exited",
    });
    let (_, arguments) = sent(description("FAILED", Some("States.TaskFailed"), Some(&cause.to_string())));
    assert_eq!(
        attribute(&arguments, "Cause"),
        "the container stopped: Essential container in task exited, exit code 137, OutOfMemoryError: killed"
    );
    assert!(!arguments.to_string().contains("t0k3n"));
}

#[test]
fn a_container_that_never_started_has_no_exit_code_to_tell() {
    let cause = json!({"Containers": [{"Name": "worker"}], "StoppedReason": "CannotPullContainerError: no such image"});
    let (_, arguments) = sent(description("FAILED", Some("States.TaskFailed"), Some(&cause.to_string())));
    assert_eq!(
        attribute(&arguments, "Cause"),
        "the container stopped: CannotPullContainerError: no such image"
    );
}

#[test]
fn the_cause_of_a_dead_container_that_was_cut_is_neither_read_nor_passed_on() {
    let cause = format!(r#"{{"Overrides": {{"Token": "t0k3n", "Padding": "{}"#, "x".repeat(40_000));
    let (_, arguments) = sent(description("FAILED", Some("States.TaskFailed"), Some(&cause[..32_768])));
    assert_eq!(attribute(&arguments, "Cause"), "the container stopped");
    assert!(!arguments.to_string().contains("t0k3n"));
}

#[test]
fn a_cause_that_is_no_json_is_passed_on_as_it_is() {
    let (_, arguments) = sent(description("FAILED", Some("States.TaskFailed"), Some("gone")));
    assert_eq!(attribute(&arguments, "Cause"), "gone");
    // Only the name of a dead container makes JSON of a cause.
    let (_, arguments) = sent(description("FAILED", Some("Import.Internal"), Some("{not json")));
    assert_eq!(attribute(&arguments, "Cause"), "{not json");
}

#[test]
fn a_lost_cause_is_said_to_be_lost() {
    let (_, arguments) = sent(description("FAILED", Some("States.Timeout"), None));
    assert_eq!(attribute(&arguments, "Error"), "States.Timeout");
    assert_eq!(attribute(&arguments, "Cause"), "no cause was recorded");
}

#[test]
fn an_execution_that_was_stopped_or_timed_out_is_named_by_its_status() {
    for status in ["ABORTED", "TIMED_OUT"] {
        let (_, arguments) = sent(description(status, None, None));
        assert_eq!(attribute(&arguments, "Error"), format!("States.{status}"));
    }
}

#[test]
fn a_long_cause_is_cut() {
    let (_, arguments) = sent(description("FAILED", Some("Import.Internal"), Some(&"ü".repeat(2000))));
    assert_eq!(attribute(&arguments, "Cause").chars().count(), 1024);
}

#[test]
fn characters_that_sqs_refuses_are_replaced_whoever_gave_the_reason() {
    let cause = "a\tb\nc\u{0}\u{b}\u{1f}\u{fffe}\u{ffff} é 東京 😀 \u{7f}\u{85}\u{fffd}\u{1fffe}";
    let expected = "a\tb\nc\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd} é 東京 😀 \u{7f}\u{85}\u{fffd}\u{1fffe}";
    let (_, arguments) = sent(description("ABORTED", Some("St\u{1}p"), Some(cause)));
    assert_eq!(attribute(&arguments, "Error"), "St\u{fffd}p");
    assert_eq!(attribute(&arguments, "Cause"), expected);
}

#[test]
fn a_queue_that_is_away_is_tried_again_until_the_machine_gives_up() {
    let mut run = Run::start(&dead_letter_definition(), json!({"execution_arn": "arn:e-1"}));
    let describe = run.invocation();
    run.succeed(&describe, description("FAILED", Some("Import.Internal"), Some("c")));
    for _ in 0..8 {
        let send = run.invocation();
        run.fail(&send, "SQS.ServiceUnavailableException", "away");
        run.pass(256.0);
    }
    let send = run.invocation();
    run.fail(&send, "SQS.ServiceUnavailableException", "away");
    assert_eq!(run.statuses(), [Status::Failed]);
}

#[test]
fn an_original_that_cannot_be_deleted_is_left_to_the_queue() {
    let (mut run, _) = sent(description("FAILED", Some("Import.Internal"), Some("c")));
    for pause in [1.0, 2.0, 0.0] {
        let delete = run.invocation();
        run.fail(&delete, "Sqs.ReceiptHandleIsInvalidException", "lapsed");
        run.pass(pause);
    }
    assert_eq!(run.statuses(), [Status::Succeeded]);
}
