//! What Task states call, and what becomes of the answers.

use serde_json::{Value, json};

use crate::core::message;
use crate::stack::{Stack, error, token_in};
use crate::wire::at_work;

fn task(resource: &str, arguments: &Value) -> Value {
    json!({"Type": "Task", "Resource": resource, "Arguments": arguments, "End": true})
}

#[tokio::test]
async fn a_dead_import_is_dead_lettered_once_whatever_the_number_of_its_events() {
    let mut stack = Stack::new();
    let (import, token) = at_work(&stack, "e-1").await;
    let failure = json!({"taskToken": token, "error": "Import.HeaderMismatch", "cause": "no column"});
    stack.call("SendTaskFailure", failure).await;
    let event = stack.event(&import, "FAILED").await;
    let by_event = stack.start(&stack.dead_letter, "d-1", &event).await;
    stack.event(&by_event, "SUCCEEDED").await;
    // The settling execution has the name of the one that ended.
    let arn = import.replace(":import:", ":dead-letter:");
    let sent = stack.world.call("SendMessage", 1).await;
    assert_eq!(sent["MessageBody"], message()["body"]);
    assert_eq!(sent["MessageAttributes"]["ExecutionArn"]["StringValue"], import);
    assert_eq!(sent["MessageAttributes"]["Error"]["StringValue"], "Import.HeaderMismatch");
    stack.event(&arn, "SUCCEEDED").await;
    let described = stack.history(&arn).await;
    let result = described.iter().find(|event| event["type"] == "TaskSucceeded").unwrap();
    let result: Value =
        serde_json::from_str(result["taskSucceededEventDetails"]["output"].as_str().unwrap()).unwrap();
    assert_eq!((&result["Status"], &result["RedriveCount"]), (&json!("FAILED"), &json!(0)));
    let again = stack.start(&stack.dead_letter, "d-2", &event).await;
    stack.event(&again, "SUCCEEDED").await;
    assert_eq!(stack.world.count("SendMessage"), 1);
    let started = result["StartDate"].as_str().unwrap();
    assert!(started.starts_with("20") && started.ends_with('Z'), "{started}");
}

#[tokio::test]
async fn a_call_that_a_service_refuses_fails_under_its_name() {
    let mut stack = Stack::new();
    let refuse = |code: &'static str| move |_: &Value| Some(Err(error(code, "no")));
    stack.world.script("DeleteMessage", refuse("QueueDoesNotExist"));
    stack.world.script("SendMessage", refuse("QueueDoesNotExist"));
    stack.world.script("RunTask", refuse("ClientException"));
    for (name, resource, arguments, expected) in [
        ("sdk", "arn:aws:states:::aws-sdk:sqs:deleteMessage", json!({}), "Sqs.QueueDoesNotExistException"),
        ("optimised", "arn:aws:states:::sqs:sendMessage", json!({}), "SQS.QueueDoesNotExistException"),
        ("ecs", "arn:aws:states:::ecs:runTask.sync", json!({}), "ECS.ClientException"),
        (
            "sfn",
            "arn:aws:states:::aws-sdk:sfn:describeExecution",
            json!({"ExecutionArn": stack.import.replace("stateMachine", "execution") + ":gone"}),
            "Sfn.ExecutionDoesNotExistException",
        ),
    ] {
        let machine = stack.machine(name, &task(resource, &arguments));
        let arn = stack.start(&machine, "e", &json!({})).await;
        let event = stack.event(&arn, "FAILED").await;
        assert_eq!(event["detail"]["error"], expected);
    }
}

#[tokio::test]
async fn an_object_is_sent_as_text() {
    let mut stack = Stack::new();
    stack.world.script("SendMessage", |_| Some(Ok(json!({"MessageId": "m", "MD5OfMessageBody": "5"}))));
    let arguments = json!({"QueueUrl": "q", "MessageBody": {"a": "{% 1 + 1 %}"}});
    let machine = stack.machine("send", &task("arn:aws:states:::sqs:sendMessage", &arguments));
    let arn = stack.start(&machine, "e", &json!({})).await;
    let event = stack.event(&arn, "SUCCEEDED").await;
    assert_eq!(event["detail"]["output"], r#"{"MessageId":"m","MD5OfMessageBody":"5"}"#);
    assert_eq!(stack.world.call("SendMessage", 1).await["MessageBody"], r#"{"a":2}"#);
}

#[tokio::test]
async fn a_task_succeeds_only_if_every_container_does() {
    let mut stack = Stack::new();
    let machine = stack.machine("run", &task("arn:aws:states:::ecs:runTask.sync", &json!({"Cluster": "c"})));
    for (n, containers, succeeds) in [
        (1, json!([{"name": "worker", "exitCode": 0}, {"name": "log", "exitCode": 0}]), true),
        (2, json!([{"name": "worker", "exitCode": 0}, {"name": "log", "exitCode": 137}]), false),
        (3, json!([{"name": "worker", "reason": "CannotPullContainerError"}]), false),
        (4, json!([]), false),
    ] {
        let arn = stack.start(&machine, &format!("e-{n}"), &json!({})).await;
        stack.world.call("wait", n).await;
        stack.world.stop(&format!("task-{n}"), &containers);
        let event = stack.event(&arn, if succeeds { "SUCCEEDED" } else { "FAILED" }).await;
        let detail = &event["detail"];
        let task = if succeeds { &detail["output"] } else { &detail["cause"] };
        let task: Value = serde_json::from_str(task.as_str().unwrap()).unwrap();
        assert_eq!((&task["TaskArn"], &task["StoppedAt"]), (&json!(format!("task-{n}")), &json!(1500)));
        if !succeeds {
            assert_eq!(detail["error"], "States.TaskFailed");
        }
    }
}

#[tokio::test]
async fn a_task_for_which_there_is_no_room_fails_as_unknown() {
    let mut stack = Stack::new();
    stack.world.script("RunTask", |_| {
        Some(Ok(json!({"tasks": [], "failures": [{"reason": "Capacity is unavailable"}]})))
    });
    let machine = stack.machine("run", &task("arn:aws:states:::ecs:runTask.sync", &json!({})));
    let arn = stack.start(&machine, "e", &json!({})).await;
    let event = stack.event(&arn, "FAILED").await;
    assert_eq!(event["detail"]["error"], "AmazonECS.Unknown");
    assert!(event["detail"]["cause"].as_str().unwrap().contains("Capacity is unavailable"));
}

#[tokio::test]
async fn a_heartbeat_that_is_missed_in_real_time_stops_the_task() {
    let mut stack = Stack::new();
    let mut state = task(
        "arn:aws:states:::ecs:runTask.sync",
        &json!({"Overrides": {"ContainerOverrides": [
        {"Environment": [{"Name": "TASK_TOKEN", "Value": "{% $states.context.Task.Token %}"}]}]}}),
    );
    state["HeartbeatSeconds"] = json!(1);
    let machine = stack.machine("run", &state);
    let arn = stack.start(&machine, "e", &json!({})).await;
    let token = token_in(&stack.world.call("RunTask", 1).await);
    let event = stack.event(&arn, "FAILED").await;
    assert_eq!(event["detail"]["error"], "States.Timeout");
    assert_eq!(stack.world.call("StopTask", 1).await["task"], "task-1");
    assert_eq!(stack.refused_as("SendTaskHeartbeat", json!({"taskToken": token})).await, "TaskTimedOut");
}
