//! `baton doctor` on real stacks: whole ones, some that are set wrongly, some that refuse.

use std::time::Duration;

use e2e::front::Answer;
use e2e::{Backend, TestStack};
use local_stack::Limits;
use serde_json::Value;

use crate::desk::{Desk, Ended, baton_beside};
use crate::target::Operator;

/// The checks with this status.
fn with_status<'a>(examined: &'a Value, status: &str) -> Vec<(&'a str, &'a str)> {
    let checks = examined["checks"].as_array().unwrap().iter();
    let found = checks.filter(|check| check["status"] == status);
    found.map(|check| (check["check"].as_str().unwrap(), check["says"].as_str().unwrap())).collect()
}

fn is_well(ended: &Ended) {
    let examined = ended.expect(0, &[]).json();
    assert_eq!(with_status(&examined, "fail"), [], "{examined:#}");
    assert_eq!(with_status(&examined, "warn"), [], "{examined:#}");
    assert!(with_status(&examined, "ok").len() > 12, "{examined:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_nothing_wrong_with_a_stack_of_the_usual_settings() {
    let desk = Desk::new();
    let said = desk.baton(&["doctor"]).await;
    said.expect(0, &["ok    configuration", "ok    worker"]).complains(0, &["nothing is wrong"]);
    is_well(&desk.baton(&["doctor", "--json"]).await);
    let stack = TestStack::start(Backend::Sqlite).await;
    is_well(&baton_beside(&stack, &["doctor", "--json"]).await);
    is_well(&Operator::of(&stack).baton(&["doctor", "--json"]).await);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_finds_the_settings_of_a_stack_that_contradict_each_other() {
    let limits = Limits {
        visibility_timeout: Duration::from_secs(20),
        max_receive_count: 3,
        heartbeat: Duration::from_secs(5),
        heartbeat_interval: Duration::from_secs(5),
        ..Limits::default()
    };
    let stack = TestStack::start_with(Backend::Sqlite, limits).await;
    let examined = baton_beside(&stack, &["doctor", "--json"]).await.expect(1, &[]).json();
    let names = |status| with_status(&examined, status).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("fail"), ["heartbeat"], "{examined:#}");
    assert_eq!(names("warn"), ["visibility", "receives"], "{examined:#}");
    let said = baton_beside(&stack, &["doctor"]).await;
    said.expect(1, &["set the queue's VisibilityTimeout to 60 s at least"])
        .complains(1, &["fail: 1, warn: 2"]);
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_names_the_permission_of_a_call_that_is_refused() {
    let stack = TestStack::with(Backend::Sqlite).behind_front().start().await;
    let denied = Answer::Error { status: 400, code: "AccessDeniedException" };
    for (operation, permission) in [
        ("AmazonSQS.GetQueueAttributes", "sqs:GetQueueAttributes is not allowed on queue http"),
        (
            "AWSStepFunctions.DescribeStateMachine",
            "states:DescribeStateMachine is not allowed on state machine arn:",
        ),
        ("AWSStepFunctions.ListExecutions", "states:ListExecutions is not allowed"),
        (
            "AmazonEC2ContainerServiceV20141113.DescribeTaskDefinition",
            "ecs:DescribeTaskDefinition is not allowed",
        ),
    ] {
        stack.front().answer(move |asked| asked.operation == operation, denied);
        let operator = Operator::with(&stack, Some(stack.front().endpoint()), stack.database_url());
        let examined = operator.baton(&["doctor", "--json"]).await.expect(1, &[]).json();
        let failed = with_status(&examined, "fail");
        assert!(failed.iter().any(|(_, says)| says.contains(permission)), "{permission}: {examined:#}");
        stack.front().no_more();
    }
    stack.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_strangers_from_what_is_missing_and_from_what_is_not_there() {
    let stack = TestStack::start(Backend::Sqlite).await;
    let definition =
        stack.ecs.describe_task_definition().task_definition("import-worker").send().await.unwrap();
    let definition = definition.task_definition.unwrap().task_definition_arn.unwrap();
    stack.ecs.deregister_task_definition().task_definition(definition).send().await.unwrap();
    let examined = baton_beside(&stack, &["doctor", "--json"]).await.expect(1, &[]).json();
    let failed = with_status(&examined, "fail");
    assert_eq!(failed.len(), 1, "{examined:#}");
    assert_eq!(failed[0].0, "task definition");

    let nobody = Operator::with(&stack, Some("http://127.0.0.1:1"), stack.database_url());
    let examined = nobody.baton(&["doctor", "--json"]).await.expect(1, &[]).json();
    let says = with_status(&examined, "fail").into_iter().find(|(name, _)| *name == "queue").unwrap().1;
    assert!(says.contains("cannot be reached"), "{examined:#}");
    stack.audit().await;
}

#[tokio::test]
async fn colours_are_for_terminals_and_for_those_who_ask_for_them() {
    let desk = Desk::new();
    let coloured = async |variables: &[(&str, &str)]| {
        let run = async |arguments: &[&str]| {
            let mut command = desk.command(arguments);
            Ended::of(command.envs(variables.iter().copied()).output().await.unwrap())
        };
        let (data, complaint) = (run(&["doctor"]).await.stdout, run(&["imprts"]).await.stderr);
        (data.contains("\x1b[32mok"), complaint.contains('\x1b'))
    };
    assert_eq!(coloured(&[]).await, (false, false), "no terminal");
    assert_eq!(coloured(&[("CLICOLOR_FORCE", "1")]).await, (true, true));
    assert_eq!(coloured(&[("NO_COLOR", "1")]).await, (false, false));
}
