//! The rule's pattern and target, against the events of AWS's documentation, as a matcher that nobody here wrote sees them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Template, read};
use crate::workspace::top;

/// The machine of the documented events.
const MACHINE: &str = "arn:aws:states:us-east-1:012345678912:stateMachine:state-machine";

fn documented() -> Vec<Value> {
    let mut whole: Value =
        serde_json::from_str(&read("statemachine/tests/events/execution-status-change.json")).unwrap();
    match whole["events"].take() {
        Value::Array(events) => events,
        other => panic!("{other} is no list"),
    }
}

/// The rule's pattern, as deployed beside an import machine of this ARN.
fn pattern(machine: &str) -> Value {
    let (_, rule) = Template::read().only("AWS::Events::Rule");
    let mut pattern = rule["EventPattern"].clone();
    let machines = &mut pattern["detail"]["stateMachineArn"];
    assert_eq!(*machines, json!([{"Ref": "ImportStateMachine"}]));
    *machines = json!([machine]);
    pattern
}

/// The statuses of the events that the pattern matches.
fn matched(pattern: &Value, events: &[Value]) -> Vec<String> {
    let python = top().join("target/second-opinion/bin/python");
    assert!(python.is_file(), "{} is missing: `bash tests/run` makes it", python.display());
    let mut child = Command::new(python)
        .arg("-B")
        .arg(top().join("infra/local/tests/states/second_opinion/interpreter.py"))
        .arg("match")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let question = json!({"pattern": pattern, "events": events}).to_string();
    child.stdin.take().unwrap().write_all(question.as_bytes()).unwrap();
    let answers: Vec<bool> = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(answers.len(), events.len());
    let matched = events.iter().zip(answers).filter(|(_, is_match)| *is_match);
    matched.map(|(event, _)| event["detail"]["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_rule_matches_the_documented_events_of_an_execution_without_success_and_no_others() {
    let mut events = documented();
    assert_eq!(matched(&pattern(MACHINE), &events), ["FAILED", "TIMED_OUT", "ABORTED"]);
    assert!(
        matched(&pattern("arn:aws:states:us-east-1:012345678912:stateMachine:other"), &events).is_empty()
    );
    // The documented event of an ECS task differs in its source and type.
    for event in &mut events {
        event["source"] = "aws.ecs".into();
    }
    assert!(matched(&pattern(MACHINE), &events).is_empty());
}

#[test]
fn the_rule_hands_over_the_event_as_it_is() {
    let (_, rule) = Template::read().only("AWS::Events::Rule");
    let targets = rule["Targets"].as_array().unwrap();
    assert_eq!(targets.len(), 1);
    for change in ["Input", "InputPath", "InputTransformer"] {
        assert!(targets[0].get(change).is_none(), "the dead-letter machine reads the whole event");
    }
}
