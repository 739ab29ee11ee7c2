//! Every path through `import.asl.json`.

use local_stack::states::definition::Resource;
use local_stack::states::execution::Status;
use serde_json::json;
use statemachine::FailureName;

use crate::core::{
    HEARTBEAT_SECONDS, RUN_TIMEOUT_SECONDS, Run, import_definition, import_input, message, report,
};

#[test]
fn a_clean_import_holds_runs_deletes_and_succeeds() {
    let mut run = Run::start(&import_definition(), import_input());
    let hold = run.invocation();
    assert_eq!(
        hold.arguments,
        json!({"QueueUrl": "http://q/imports", "ReceiptHandle": "handle-1", "VisibilityTimeout": 43200})
    );
    run.succeed(&hold, json!({}));
    let run_task = run.invocation();
    run.submit(&run_task, "task-1");
    let token = run.token();
    run.pass(30.0);
    assert_eq!(run.beat(&token), None);
    assert_eq!(run.report(&token, report()), None);
    let delete = run.invocation();
    assert_eq!(delete.resource, Resource::SqsDeleteMessage);
    assert_eq!(delete.arguments, json!({"QueueUrl": "http://q/imports", "ReceiptHandle": "handle-1"}));
    run.succeed(&delete, json!({}));

    assert_eq!(run.statuses(), [Status::Succeeded]);
    assert_eq!(run.execution.output, Some(report()));
    assert_eq!(run.execution.next_deadline(), None);
    #[rustfmt::skip]
    assert_eq!(run.events_after(""), [
        "ExecutionStarted",
        "ChoiceStateEntered", "ChoiceStateExited",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded", "TaskStateExited",
        "TaskStateEntered", "TaskScheduled", "TaskStarted", "TaskSucceeded", "TaskStateExited",
        "SucceedStateEntered", "SucceedStateExited",
        "ExecutionSucceeded",
    ]);
}

#[test]
fn the_container_gets_token_execution_and_import() {
    let (run, run_task) = Run::import_at_run_task();
    let container = &run_task.arguments["Overrides"]["ContainerOverrides"][0];
    assert_eq!(container["Name"], "worker");
    assert_eq!(
        container["Environment"],
        json!([
            {"Name": "TASK_TOKEN", "Value": run.token()},
            {"Name": "EXECUTION_ARN", "Value": "arn:aws:states:eu-west-1:123456789012:execution:import:e-1"},
            {"Name": "IMPORT", "Value": import_input()["import"].to_string()},
            {"Name": "TRACE_HEADER", "Value": ""},
        ])
    );
    // What the message's header is, the container gets to the letter.
    let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1";
    let mut input = import_input();
    input["message"]["trace_header"] = header.into();
    let mut run = Run::start(&import_definition(), input);
    let hold = run.invocation();
    run.succeed(&hold, json!({}));
    let traced = &run.invocation().arguments["Overrides"]["ContainerOverrides"][0]["Environment"][3];
    assert_eq!(traced, &json!({"Name": "TRACE_HEADER", "Value": header}));
    let network = &run_task.arguments["NetworkConfiguration"]["AwsvpcConfiguration"];
    assert_eq!(network["Subnets"], json!(["subnet-1", "subnet-2"]));
    // AWS asks for a list here; JSONata's $split gives one for a single id as well.
    assert_eq!(network["SecurityGroups"], json!(["sg-1"]));
    let scheduled = run.details("TaskScheduled");
    assert_eq!(scheduled["resourceType"], "ecs");
    assert_eq!(scheduled["resource"], "runTask.sync");
    assert_eq!(scheduled["region"], "eu-west-1");
    assert_eq!(scheduled["timeoutInSeconds"], RUN_TIMEOUT_SECONDS);
    assert_eq!(scheduled["heartbeatInSeconds"], HEARTBEAT_SECONDS);
}

#[test]
fn an_invalid_message_fails_at_once_under_its_name() {
    let input = json!({"invalid": {"reason": "the message is not JSON"}, "message": message()});
    let mut run = Run::start(&import_definition(), input);
    assert_eq!(run.statuses(), [Status::Running, Status::Failed]);
    assert_eq!(run.execution.error.as_deref(), Some("Message.Invalid"));
    assert_eq!(run.execution.cause.as_deref(), Some("the message is not JSON"));
    assert_eq!(run.events_after("ChoiceStateExited"), ["FailStateEntered", "ExecutionFailed"]);
}

#[test]
fn a_message_that_cannot_be_held_is_imported_all_the_same() {
    let mut run = Run::start(&import_definition(), import_input());
    for _ in 0..2 {
        let hold = run.invocation();
        run.fail(&hold, "Sqs.InvalidParameterValueException", "the handle has lapsed");
        run.pass(1.0);
    }
    let run_task = run.invocation();
    assert_eq!(run_task.resource, Resource::EcsRunTaskSync);
    assert_eq!(run.execution.state_name(), Some("RunImport"));
    // The import comes from a variable: the Catch has replaced the input.
    assert!(run_task.arguments.to_string().contains("s3://b/k.csv"));
}

#[test]
fn a_permanent_failure_fails_at_run_import_without_a_retry() {
    for name in
        FailureName::ALL.iter().filter(|name| !name.is_transient() && **name != FailureName::MessageInvalid)
    {
        let (mut run, _, token) = Run::import_at_work();
        assert_eq!(run.report_failure(&token, name.as_str(), "row 3"), None);
        assert_eq!(run.statuses(), [Status::Failed], "{name}");
        assert_eq!(run.execution.error.as_deref(), Some(name.as_str()));
        assert_eq!(run.execution.cause.as_deref(), Some("row 3"));
        assert_eq!(run.execution.state_name(), Some("RunImport"));
        assert_eq!(run.events_after("TaskSubmitted"), ["TaskFailed", "ExecutionFailed"]);
    }
}

#[test]
fn a_transient_failure_is_tried_again_with_a_new_token_and_then_succeeds() {
    let (mut run, _, first) = Run::import_at_work();
    run.report_failure(&first, "Import.DatabaseUnavailable", "connection refused");
    run.pass(1.0);
    let run_task = run.invocation();
    let second = run.token();
    assert_ne!(first, second);
    assert!(run_task.arguments.to_string().contains(&second));
    run.submit(&run_task, "task-2");
    run.report(&second, report());
    let delete = run.invocation();
    run.succeed(&delete, json!({}));
    assert_eq!(run.execution.status, Status::Succeeded);
}

#[test]
fn transient_failures_end_after_their_number_of_retries() {
    let (mut run, _, mut token) = Run::import_at_work();
    let mut waited = 0.0;
    for n in 0..10 {
        run.report_failure(&token, "Import.SourceUnavailable", "503");
        let pause = f64::min(2_f64.powi(n), 300.0);
        run.pass(pause - 0.001);
        assert!(run.execution.token().is_none(), "retry {n} comes too early");
        run.pass(0.001);
        waited += pause;
        run.invocation();
        token = run.token();
    }
    assert!((800.0..1200.0).contains(&waited), "about 15 minutes in all: {waited}");
    run.report_failure(&token, "Import.SourceUnavailable", "503");
    assert_eq!(run.statuses(), [Status::Failed]);
}

#[test]
fn counts_of_retries_are_kept_for_each_entry() {
    let (mut run, _, token) = Run::import_at_work();
    run.report_failure(&token, "Import.DatabaseUnavailable", "");
    run.pass(1.0);
    run.invocation();
    // Another entry: its first retry waits its own first interval.
    let token = run.token();
    run.report_failure(&token, "ECS.ServerException", "");
    run.pass(29.999);
    assert!(run.execution.token().is_none());
    run.pass(0.001);
    run.invocation();
    // The first entry's second retry.
    let token = run.token();
    run.report_failure(&token, "Import.DatabaseUnavailable", "");
    run.pass(1.999);
    assert!(run.execution.token().is_none());
    run.pass(0.001);
    run.invocation();
}

#[test]
fn a_container_that_dies_is_run_three_times_more_and_then_the_execution_fails() {
    let (mut run, mut run_task) = Run::import_at_run_task();
    for pause in [1.0, 4.0, 16.0] {
        run.submit(&run_task, "task");
        run.fail(&run_task, "States.TaskFailed", "{}");
        run.pass(pause);
        run_task = run.invocation();
    }
    run.submit(&run_task, "task");
    run.fail(&run_task, "States.TaskFailed", r#"{"StopCode":"EssentialContainerExited"}"#);
    assert_eq!(run.statuses(), [Status::Failed]);
    assert_eq!(run.execution.error.as_deref(), Some("States.TaskFailed"));
    assert_eq!(run.execution.state_name(), Some("RunImport"));
}

#[test]
fn a_container_that_exits_with_0_and_reports_nothing_is_no_success() {
    let (mut run, mut run_task) = Run::import_at_run_task();
    for pause in [1.0, 4.0, 16.0] {
        run.submit(&run_task, "task");
        run.succeed(&run_task, json!({"TaskArn": "task", "Containers": [{"ExitCode": 0}]}));
        assert_eq!(run.events_after("TaskSubmitted"), ["TaskSucceeded", "EvaluationFailed"]);
        run.pass(pause);
        run_task = run.invocation();
    }
    run.submit(&run_task, "task");
    run.succeed(&run_task, json!({"TaskArn": "task", "Containers": [{"ExitCode": 0}]}));
    assert_eq!(run.statuses(), [Status::Failed]);
    assert_eq!(run.execution.error.as_deref(), Some("States.QueryEvaluationError"));
    let cause = run.execution.cause.clone().unwrap();
    assert!(
        cause.starts_with(
            "An error occurred while executing the state 'RunImport' (entered at the event id #"
        ),
        "{cause}"
    );
    assert!(cause.contains("reported nothing") && cause.contains("the field 'Output'"), "{cause}");
    assert_eq!(run.details("EvaluationFailed")["location"], "Output");
}

#[test]
fn an_import_whose_message_cannot_be_deleted_has_succeeded_all_the_same() {
    let (mut run, _, token) = Run::import_at_work();
    run.report(&token, report());
    for pause in [1.0, 2.0, 0.0] {
        let delete = run.invocation();
        run.fail(&delete, "Sqs.InvalidParameterValueException", "the handle has lapsed");
        run.pass(pause);
    }
    assert_eq!(run.statuses(), [Status::Succeeded]);
    assert_eq!(run.execution.output, Some(report()));
}

#[test]
fn a_call_that_hangs_is_given_up() {
    let (mut run, _, token) = Run::import_at_work();
    run.report(&token, report());
    for _ in 0..3 {
        run.invocation();
        run.pass(30.0 + 4.0);
    }
    assert_eq!(run.statuses(), [Status::Succeeded]);
}
