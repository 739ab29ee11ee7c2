//! A story as this interpreter tells it.

use serde_json::{Value, json};

use super::stories::{Answer, Story};
use crate::core::Run;

/// Runs the story to its end and tells of it as the other interpreter does.
pub(super) fn account(story: &Story) -> Value {
    let mut run = Run::start(&story.definition, story.input.clone());
    let mut answers = story.answers.clone();
    let mut waits: Vec<f64> = Vec::new();
    while run.execution.status.as_str() == "RUNNING" {
        let state = run.execution.state_name().unwrap().to_owned();
        let call = run.invocation();
        let given = answers.get_mut(state.as_str()).unwrap();
        assert!(!given.is_empty(), "{}: {state} calls more often than it is answered", story.name);
        let before = run.history().len();
        match given.remove(0) {
            Answer::Return(output) if state == "RunImport" => {
                run.submit(&call, "task");
                // What is a report comes with the token, everything else from ECS.
                if output.get("kind").is_some() {
                    let token = run.token();
                    assert_eq!(run.report(&token, output), None);
                } else {
                    run.succeed(&call, output);
                }
            }
            Answer::Return(output) => run.succeed(&call, output),
            Answer::Throw(error, cause) if error.starts_with("Import.") => {
                run.submit(&call, "task");
                let token = run.token();
                assert_eq!(run.report_failure(&token, &error, &cause), None);
            }
            Answer::Throw(error, cause) => run.fail(&call, &error, &cause),
        }
        let is_answered = run.history()[before..].iter().any(|event| event.event_type.starts_with("Task"));
        assert!(is_answered, "{}: the answer to {state} was not taken", story.name);
        if let Some(seconds) = run.pause() {
            waits.push(seconds);
            run.pass(seconds);
        }
    }
    let left: Vec<_> = answers.iter().filter(|(_, left)| !left.is_empty()).map(|(state, _)| state).collect();
    assert!(left.is_empty(), "{}: answers of {left:?} were not asked for", story.name);

    let execution = &run.execution;
    json!({
        "status": execution.status.as_str(),
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "states": details(&run, "stateEnteredEventDetails").map(|entered| &entered["name"]).collect::<Vec<_>>(),
        "events": run.events_after("").into_iter().filter(|event| *event != "TaskSubmitted").collect::<Vec<_>>(),
        "calls": details(&run, "taskScheduledEventDetails").map(call).collect::<Vec<_>>(),
        "waits": waits,
    })
}

fn details<'a>(run: &'a Run, field: &'a str) -> impl Iterator<Item = &'a Value> {
    let details = run.history().iter().filter_map(|event| event.details.as_ref());
    details.filter(move |(name, _)| *name == field).map(|(_, details)| details)
}

fn call(scheduled: &Value) -> Value {
    let text = |field: &str| scheduled[field].as_str().unwrap();
    let mut arguments: Value = serde_json::from_str(text("parameters")).unwrap();
    if text("resourceType") == "ecs" {
        super::hide_token(&mut arguments);
        let strategy = arguments.as_object_mut().unwrap().remove("CapacityProviderStrategy");
        assert_eq!(strategy, Some(json!([{"CapacityProvider": "FARGATE_SPOT", "Weight": 1}])));
    }
    json!({
        "resource": format!("{}:{}", text("resourceType"), text("resource")),
        "arguments": arguments,
        "timeout": scheduled["timeoutInSeconds"],
        "heartbeat": scheduled["heartbeatInSeconds"],
    })
}

/// Whether the waits are the same; where there is jitter, the other's are the longest that they may be.
pub(super) fn waits_agree(story: &Story, ours: &Value, theirs: &Value) -> bool {
    let seconds = |value: &Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|wait| wait.as_f64().unwrap()).collect()
    };
    let (ours, theirs) = (seconds(ours), seconds(theirs));
    ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(ours, theirs)| {
            if story.has_jitter { ours <= theirs } else { (ours - theirs).abs() < 0.001 }
        })
}
