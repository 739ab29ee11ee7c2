//! The process dies in the middle, and another one goes on.

use serde_json::{Value, json};

use crate::core::{import_input, report};
use crate::stack::Stack;

#[tokio::test]
async fn a_task_that_runs_is_waited_for_again_and_not_started_again() {
    let stack = Stack::new();
    let arn = stack.start(&stack.import, "e-1", &import_input()).await;
    let token = stack.token(1).await;
    let before = stack.history(&arn).await;
    let mut stack = stack.restart(|_| ());
    assert_eq!(stack.world.call("wait", 1).await, "task-1");
    assert_eq!(stack.history(&arn).await, before);
    assert_eq!(stack.call("SendTaskHeartbeat", json!({"taskToken": token})).await, json!({}));
    stack.call("SendTaskSuccess", json!({"taskToken": token, "output": report().to_string()})).await;
    stack.event(&arn, "SUCCEEDED").await;
    assert_eq!(stack.world.count("RunTask"), 0);
}

#[tokio::test]
async fn a_task_that_stopped_meanwhile_ends_its_state() {
    let stack = Stack::new();
    let machine = stack.machine(
        "run",
        &json!({"Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Arguments": {}, "End": true}),
    );
    let arn = stack.start(&machine, "e-1", &json!({})).await;
    stack.world.call("wait", 1).await;
    let mut stack = stack.restart(|world| world.stop("task-1", &json!([{"exitCode": 9}])));
    let event = stack.event(&arn, "FAILED").await;
    assert_eq!(event["detail"]["error"], "States.TaskFailed");
}

#[tokio::test]
async fn a_call_without_an_answer_is_made_again() {
    let stack = Stack::new();
    stack.world.script("ChangeMessageVisibility", |_| None);
    let arn = stack.start(&stack.import, "e-1", &import_input()).await;
    let first = stack.world.call("ChangeMessageVisibility", 1).await;
    let stack = stack.restart(|world| world.script("ChangeMessageVisibility", |_| Some(Ok(json!({})))));
    assert_eq!(stack.world.call("ChangeMessageVisibility", 1).await, first);
    stack.token(1).await;
    let scheduled = |event: &&Value| event["type"] == "TaskScheduled";
    assert_eq!(stack.history(&arn).await.iter().filter(scheduled).count(), 2, "it is not scheduled twice");
}

#[tokio::test]
async fn a_wait_goes_on_and_ends_in_time() {
    let stack = Stack::new();
    let wait = json!({"Type": "Wait", "Timestamp": "{% $fromMillis($millis() + 300) %}", "Next": "Done"});
    let machine = stack.machine("wait", &wait);
    let arn = stack.start(&machine, "e-1", &json!({})).await;
    let mut stack = stack.restart(|_| ());
    let event = stack.event(&arn, "SUCCEEDED").await;
    let detail = &event["detail"];
    assert!(detail["stopDate"].as_i64().unwrap() - detail["startDate"].as_i64().unwrap() >= 300);
}

#[tokio::test]
async fn an_open_execution_keeps_the_definition_it_started_with() {
    let stack = Stack::new();
    let wait = |output: &str| json!({"Type": "Wait", "Timestamp": "{% $fromMillis($millis() + 300) %}", "Output": output, "Next": "Done"});
    let machine = stack.machine("wait", &wait("old"));
    let old = stack.start(&machine, "old", &json!({})).await;
    let mut stack = stack.restart(|_| ());
    assert_eq!(stack.machine("wait", &wait("new")), machine);
    let new = stack.start(&machine, "new", &json!({})).await;
    assert_eq!(stack.event(&old, "SUCCEEDED").await["detail"]["output"], "\"old\"");
    assert_eq!(stack.event(&new, "SUCCEEDED").await["detail"]["output"], "\"new\"");
    let definition = async |arn: &str| {
        let request = json!({"executionArn": arn});
        stack.call("DescribeStateMachineForExecution", request).await["definition"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(definition(&old).await.contains("old"));
    assert!(definition(&new).await.contains("new"));
    let latest = stack.call("DescribeStateMachine", json!({"stateMachineArn": machine})).await;
    assert_eq!(latest["definition"].as_str(), Some(definition(&new).await.as_str()));
}

#[tokio::test]
async fn a_closed_execution_and_its_dead_token_are_remembered() {
    let mut stack = Stack::new();
    let arn = stack.start(&stack.import, "e-1", &import_input()).await;
    let token = stack.token(1).await;
    stack.call("SendTaskFailure", json!({"taskToken": token, "error": "Import.Internal"})).await;
    stack.event(&arn, "FAILED").await;
    let described = stack.describe(&arn).await;
    let mut stack = stack.restart(|_| ());
    assert_eq!(stack.describe(&arn).await, described);
    assert_eq!(stack.refused_as("SendTaskHeartbeat", json!({"taskToken": token})).await, "TaskTimedOut");
    stack.call("RedriveExecution", json!({"executionArn": arn})).await;
    // The redriven attempt is the first of this process.
    let token = crate::stack::token_in(&stack.world.call("RunTask", 1).await);
    stack.call("SendTaskSuccess", json!({"taskToken": token, "output": report().to_string()})).await;
    stack.event(&arn, "SUCCEEDED").await;
}
