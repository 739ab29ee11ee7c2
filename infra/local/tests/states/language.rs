//! What the definitions of this project do not use: Pass, Wait, limits, the machine's own timeout.

use local_stack::states::execution::{Event, Status};
use serde_json::{Value, json};

use crate::core::Run;

fn machine(states: &Value) -> String {
    let start = states.as_object().unwrap().keys().next().unwrap().clone();
    json!({"QueryLanguage": "JSONata", "StartAt": start, "States": states}).to_string()
}

fn task(fields: &[(&str, Value)]) -> Value {
    let mut task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:deleteMessage", "Arguments": {}, "End": true
    });
    for (name, value) in fields {
        task[*name] = value.clone();
    }
    task
}

#[test]
fn output_and_assign_see_the_variables_from_before() {
    let states = json!({
        "First": {"Type": "Pass", "Assign": {"n": 1}, "Next": "Second"},
        "Second": {"Type": "Pass", "Assign": {"n": "{% $n + 1 %}", "m": "{% $n %}"}, "Output": "{% $n %}", "Next": "Third"},
        "Third": {"Type": "Pass", "Output": {"input": "{% $states.input %}", "n": "{% $n %}", "m": "{% $m %}"}, "End": true},
    });
    let run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.execution.output, Some(json!({"input": 1, "n": 2, "m": 1})));
    let second = &run.history()[4];
    assert_eq!(second.event_type, "PassStateExited");
    let details = &second.details.as_ref().unwrap().1;
    assert_eq!(details["assignedVariables"], json!({"n": "2", "m": "1"}));
}

#[test]
fn the_context_says_who_where_and_when() {
    let states = json!({"S": {"Type": "Pass", "Output": "{% $states.context %}", "End": true}});
    let run = Run::start(&machine(&states), json!({"a": 1}));
    let arn = "arn:aws:states:eu-west-1:123456789012";
    assert_eq!(
        run.execution.output,
        Some(json!({
            "Execution": {
                "Id": format!("{arn}:execution:import:e-1"), "Input": {"a": 1}, "Name": "e-1",
                "RoleArn": "arn:aws:iam::123456789012:role/import",
                "StartTime": "2026-11-23T10:00:00.000Z", "RedriveCount": 0,
            },
            "StateMachine": {"Id": format!("{arn}:stateMachine:import"), "Name": "import"},
            "State": {"Name": "S", "EnteredTime": "2026-11-23T10:00:00.000Z", "RetryCount": 0},
        }))
    );
}

#[test]
fn a_wait_waits_and_one_in_the_past_does_not() {
    let states = json!({
        "Past": {"Type": "Wait", "Timestamp": "2026-11-23T09:00:00Z", "Next": "Seconds"},
        "Seconds": {"Type": "Wait", "Seconds": "{% $states.input.n %}", "Next": "Until"},
        "Until": {"Type": "Wait", "Timestamp": "2026-11-23T11:00:00+00:30", "End": true},
    });
    let mut run = Run::start(&machine(&states), json!({"n": 10}));
    assert_eq!(run.execution.state_name(), Some("Seconds"));
    run.pass(9.999);
    assert_eq!(run.execution.state_name(), Some("Seconds"));
    run.pass(0.001);
    assert_eq!(run.execution.state_name(), Some("Until"));
    run.pass(1789.999);
    assert_eq!(run.execution.status, Status::Running);
    run.pass(0.001);
    assert_eq!(run.execution.status, Status::Succeeded);
    assert_eq!(
        run.events_after("ExecutionStarted").iter().filter(|event| **event == "WaitStateExited").count(),
        3
    );
}

#[test]
fn a_choice_without_a_match_fails_and_is_chosen_again_at_a_redrive() {
    let states = json!({
        "S": {"Type": "Choice", "Choices": [
            {"Condition": "{% $states.context.Execution.RedriveCount > 0 %}", "Output": "again", "Next": "Done"}
        ]},
        "Done": {"Type": "Succeed"},
    });
    let mut run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.execution.error.as_deref(), Some("States.NoChoiceMatched"));
    assert_eq!(run.statuses(), [Status::Running, Status::Failed]);
    run.send(Event::Redrive);
    assert_eq!(run.execution.output, Some(json!("again")));
    assert_eq!(
        run.events_after("ExecutionRedriven"),
        ["ChoiceStateExited", "SucceedStateEntered", "SucceedStateExited", "ExecutionSucceeded"]
    );
}

#[test]
fn a_condition_that_is_neither_true_nor_false_fails_by_name() {
    let states = json!({
        "S": {"Type": "Choice", "Choices": [{"Condition": "{% 'yes' %}", "Next": "Done"}], "Default": "Done"},
        "Done": {"Type": "Succeed"},
    });
    let run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.execution.error.as_deref(), Some("States.QueryEvaluationError"));
    assert_eq!(run.events_after("ChoiceStateEntered"), ["EvaluationFailed", "ExecutionFailed"]);
}

#[test]
fn a_catch_gives_the_error_on_and_an_error_inside_it_is_not_caught() {
    let states = |output: Value| {
        json!({
            "S": task(&[("Catch", json!([{"ErrorEquals": ["States.ALL"], "Output": output, "Next": "Done"}]))]),
            "Done": {"Type": "Succeed"},
        })
    };
    let mut run = Run::start(&machine(&states(json!({"e": "{% $states.errorOutput %}"}))), json!({}));
    let call = run.invocation();
    run.fail(&call, "Sqs.OverLimitException", "slow down");
    assert_eq!(
        run.execution.output,
        Some(json!({"e": {"Error": "Sqs.OverLimitException", "Cause": "slow down"}}))
    );
    let mut run = Run::start(&machine(&states(json!("{% $states.errorOutput.Missing %}"))), json!({}));
    let call = run.invocation();
    run.fail(&call, "Sqs.OverLimitException", "slow down");
    assert_eq!(run.execution.error.as_deref(), Some("States.QueryEvaluationError"));
    assert_eq!(run.execution.status, Status::Failed);
}

#[test]
fn arguments_that_cannot_be_evaluated_are_retried_and_caught_like_any_error() {
    let states = json!({
        "S": task(&[
            ("Arguments", json!({"QueueUrl": "{% $states.context.State.RetryCount = 1 ? 'q' %}"})),
            ("Retry", json!([{"ErrorEquals": ["States.QueryEvaluationError"], "MaxAttempts": 1}])),
        ]),
    });
    let mut run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.events_after("TaskStateEntered"), ["EvaluationFailed"]);
    assert_eq!(run.details("EvaluationFailed")["location"], "Arguments/QueueUrl");
    run.pass(1.0);
    assert_eq!(run.invocation().arguments, json!({"QueueUrl": "q"}));
}

#[test]
fn only_a_task_that_can_be_reported_on_has_a_token() {
    let states = json!({"S": task(&[("Arguments", json!({"T": "{% $states.context.Task.Token %}"}))])});
    let run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.execution.error.as_deref(), Some("States.QueryEvaluationError"));
}

#[test]
fn more_data_than_step_functions_carries_fails_and_cannot_be_caught_by_a_wildcard() {
    let states = json!({
        "S": task(&[("Catch", json!([{"ErrorEquals": ["States.ALL"], "Next": "Done"}]))]),
        "Done": {"Type": "Succeed"},
    });
    let mut run = Run::start(&machine(&states), json!({}));
    let call = run.invocation();
    run.succeed(&call, json!("x".repeat(262_143)));
    assert_eq!(run.execution.error.as_deref(), Some("States.DataLimitExceeded"));
    assert_eq!(run.events_after("TaskStarted"), ["TaskFailed", "ExecutionFailed"]);
    let states =
        json!({"S": {"Type": "Pass", "Output": "{% [$states.input, $states.input] %}", "End": true}});
    let run = Run::start(&machine(&states), json!("x".repeat(140_000)));
    assert_eq!(run.execution.error.as_deref(), Some("States.DataLimitExceeded"));
}

#[test]
fn the_machines_own_timeout_ends_whatever_runs_and_begins_anew_at_a_redrive() {
    let mut definition: Value = serde_json::from_str(&machine(&json!({
        "S": task(&[
            ("Resource", json!("arn:aws:states:::ecs:runTask.sync")),
            ("Retry", json!([{"ErrorEquals": ["States.ALL"]}])),
            ("Catch", json!([{"ErrorEquals": ["States.ALL"], "Next": "S"}])),
        ]),
    })))
    .unwrap();
    definition["TimeoutSeconds"] = json!(100);
    let mut run = Run::start(&definition.to_string(), json!({}));
    let call = run.invocation();
    run.submit(&call, "task-1");
    run.pass(100.0);
    assert_eq!(run.cancelled(), ["task-1"]);
    assert_eq!(run.statuses(), [Status::TimedOut]);
    assert_eq!(run.events_after("TaskSubmitted"), ["ExecutionTimedOut"]);
    run.pass(1000.0);
    run.send(Event::Redrive);
    run.pass(99.0);
    assert_eq!(run.execution.status, Status::Running);
    run.pass(1.0);
    assert_eq!(run.execution.status, Status::TimedOut);
}

#[test]
fn a_machine_that_goes_in_circles_ends_with_its_history() {
    let states = json!({"S": {"Type": "Pass", "Next": "S"}});
    let run = Run::start(&machine(&states), json!({}));
    assert_eq!(run.execution.error.as_deref(), Some("States.Runtime"));
    assert!((24_990..=25_000).contains(&run.execution.event_count()));
}

#[test]
fn full_jitter_waits_some_part_of_the_delay() {
    let retry = json!([{"ErrorEquals": ["A"], "IntervalSeconds": 100, "MaxAttempts": 50, "BackoffRate": 1, "JitterStrategy": "FULL"}]);
    let mut run = Run::start(&machine(&json!({"S": task(&[("Retry", retry)])})), json!({}));
    let mut delays = Vec::new();
    for _ in 0..50 {
        let call = run.invocation();
        run.fail(&call, "A", "");
        delays.push(run.execution.next_deadline().unwrap().millis() - run.now.millis());
        run.pass(100.0);
    }
    assert!(delays.iter().all(|delay| (0..=100_000).contains(delay)), "{delays:?}");
    assert!(
        delays.iter().any(|delay| *delay < 30_000) && delays.iter().any(|delay| *delay > 70_000),
        "{delays:?}"
    );
}

#[test]
fn events_are_numbered_and_each_names_the_one_before() {
    let states = json!({"S": {"Type": "Pass", "Next": "Done"}, "Done": {"Type": "Succeed"}});
    let run = Run::start(&machine(&states), json!({}));
    let ids: Vec<_> = run.history().iter().map(|event| (event.id, event.previous_id)).collect();
    // The entry into the first state has no event before it on AWS.
    assert_eq!(ids, [(1, 0), (2, 0), (3, 2), (4, 3), (5, 4), (6, 5)]);
    assert!(run.history_text().contains("inputDetails"));
}
