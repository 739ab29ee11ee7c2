//! What is taken, and what is refused by which words.

use serde_json::{Value, json};
use statemachine::{DEAD_LETTER_DEFINITION, IMPORT_DEFINITION};

use super::*;

fn machine(state: &Value) -> String {
    json!({"QueryLanguage": "JSONata", "StartAt": "S", "States": {"S": state, "Done": {"Type": "Succeed"}}})
        .to_string()
}

fn refusal(state: &Value) -> String {
    Definition::parse(&machine(state)).unwrap_err().to_string()
}

fn task(field: &str, value: Value) -> Value {
    let mut task = json!({
        "Type": "Task", "Resource": "arn:aws:states:::ecs:runTask.sync", "Arguments": {}, "End": true
    });
    task[field] = value;
    task
}

fn error(name: &str) -> ErrorName<'_> {
    ErrorName { name: Some(name), missed_heartbeat: false }
}

fn retrier(entry: &Value) -> Retrier {
    let definition = Definition::parse(&machine(&task("Retry", json!([entry])))).unwrap();
    match &definition.states["S"] {
        State::Task(task) => task.retry[0].clone(),
        _ => panic!("a task"),
    }
}

#[test]
fn a_definition_with_substitutions_left_in_text_is_still_one() {
    // Text that is no expression is not looked into: `substitute` is what finds a value that was forgotten.
    assert!(Definition::parse(DEAD_LETTER_DEFINITION).is_ok());
    let refusal = Definition::parse(IMPORT_DEFINITION).unwrap_err().to_string();
    assert!(refusal.contains("${HoldSeconds}"), "{refusal}");
}

#[test]
fn a_field_that_is_not_implemented_is_refused_by_name() {
    assert_eq!(refusal(&task("InputPath", json!("$"))), "state S: field InputPath is not implemented");
    assert_eq!(
        refusal(&task("Catch", json!([{"ErrorEquals": ["A"], "Next": "Done", "ResultPath": "$"}]))),
        "state S: field Catch[0]/ResultPath is not implemented"
    );
    assert_eq!(
        refusal(&task("QueryLanguage", json!("JSONPath"))),
        "state S: field QueryLanguage is not implemented"
    );
    assert_eq!(
        refusal(&json!({"Type": "Parallel", "End": true})),
        "state S: type Parallel is not implemented"
    );
    assert_eq!(refusal(&json!({"Type": "Map"})), "state S: type Map is not implemented");
    assert_eq!(refusal(&json!({"Type": "Succeed", "Next": "S"})), "state S: field Next is not implemented");
    assert_eq!(
        refusal(&json!({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true})),
        "state S: resource arn:aws:states:::lambda:invoke is not implemented"
    );
    assert!(refusal(&task("Arguments", json!({"Count": 2}))).contains("Arguments/Count is not implemented"));
}

#[test]
fn jsonpath_is_refused_also_where_it_is_the_default() {
    for language in [json!(null), json!("JSONPath")] {
        let mut machine: Value = serde_json::from_str(&machine(&task("Comment", json!("c")))).unwrap();
        machine["QueryLanguage"] = language.clone();
        if language.is_null() {
            machine.as_object_mut().unwrap().remove("QueryLanguage");
        }
        let refusal = Definition::parse(&machine.to_string()).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "state machine: field QueryLanguage must be JSONata: JSONPath is not implemented"
        );
    }
}

#[test]
fn a_successor_that_does_not_exist_is_named() {
    assert_eq!(refusal(&json!({"Type": "Pass", "Next": "Gone"})), "state S: there is no state Gone");
    assert_eq!(
        refusal(&task("Catch", json!([{"ErrorEquals": ["A"], "Next": "Gone"}]))),
        "state S: there is no state Gone"
    );
    assert_eq!(refusal(&json!({"Type": "Pass"})), "state S: field Next is missing");
    assert_eq!(
        refusal(&json!({"Type": "Pass", "Next": "Done", "End": true})),
        "state S: field Next stands beside End"
    );
}

#[test]
fn states_all_stands_alone_and_last() {
    let catch = |names: &[&[&str]]| {
        let entries: Vec<_> = names.iter().map(|n| json!({"ErrorEquals": n, "Next": "Done"})).collect();
        Definition::parse(&machine(&task("Catch", json!(entries)))).map(|_| ()).map_err(|error| error.problem)
    };
    assert_eq!(catch(&[&["A"], &["States.ALL"]]), Ok(()));
    assert!(catch(&[&["A", "States.ALL"]]).unwrap_err().contains("beside other names"));
    assert!(catch(&[&["States.ALL"], &["A"]]).unwrap_err().contains("not the last"));
    assert!(catch(&[&[]]).unwrap_err().contains("is empty"));
}

#[test]
fn expressions_are_parsed_when_the_definition_is_loaded() {
    assert!(refusal(&task("Output", json!("{% $states. %}"))).starts_with("state S: field Output: "));
    assert_eq!(
        refusal(&task("Arguments", json!({"A": "{% $eval('1') %}"}))),
        "state S: field Arguments/A: $eval is not allowed; use $parse for JSON"
    );
    assert_eq!(
        refusal(&task("Arguments", json!({"A": "{% $states.result %}"}))),
        "state S: field Arguments/A: $states.result does not exist here"
    );
    assert_eq!(
        refusal(&task("Assign", json!({"states": 1}))),
        "state S: field Assign/states is no name of a variable"
    );
}

#[test]
fn timeouts_are_numbers_that_make_sense() {
    assert!(Definition::parse(&machine(&task("TimeoutSeconds", json!("{% 1 %}")))).is_ok());
    assert!(refusal(&task("TimeoutSeconds", json!(0))).contains("TimeoutSeconds is neither"));
    assert!(refusal(&task("TimeoutSeconds", json!("60"))).contains("TimeoutSeconds is neither"));
    let mut both = task("TimeoutSeconds", json!(60));
    both["HeartbeatSeconds"] = json!(60);
    assert!(refusal(&both).contains("HeartbeatSeconds is not less than TimeoutSeconds"));
    let mut without_token = task("HeartbeatSeconds", json!(60));
    without_token["Resource"] = json!("arn:aws:states:::aws-sdk:sqs:deleteMessage");
    assert!(
        refusal(&without_token).contains("HeartbeatSeconds is not implemented for arn:aws:states:::aws-sdk")
    );
}

#[test]
fn wildcards_match_what_the_guide_says() {
    let takes = |name: &str, error: &ErrorName<'_>| retrier(&json!({"ErrorEquals": [name]})).takes(error);
    let missed = ErrorName { name: Some("States.Timeout"), missed_heartbeat: true };
    for (name, error, expected) in [
        ("States.ALL", &error("Anything"), true),
        ("States.ALL", &ErrorName { name: None, missed_heartbeat: false }, true),
        ("States.ALL", &error("States.DataLimitExceeded"), false),
        ("States.ALL", &error("States.Runtime"), false),
        ("States.Runtime", &error("States.Runtime"), false),
        ("States.DataLimitExceeded", &error("States.DataLimitExceeded"), true),
        ("States.TaskFailed", &error("Import.Interrupted"), true),
        ("States.TaskFailed", &error("States.QueryEvaluationError"), true),
        ("States.TaskFailed", &error("States.Timeout"), false),
        ("States.TaskFailed", &missed, false),
        ("States.Timeout", &missed, true),
        ("States.HeartbeatTimeout", &missed, true),
        ("States.HeartbeatTimeout", &error("States.Timeout"), false),
        ("Import.Interrupted", &error("Import.interrupted"), false),
    ] {
        assert_eq!(takes(name, error), expected, "{name} and {error:?}");
    }
}

#[test]
fn a_delay_grows_up_to_its_limit_and_jitter_takes_from_it() {
    let plain = retrier(
        &json!({"ErrorEquals": ["A"], "IntervalSeconds": 3, "BackoffRate": 1.5, "MaxDelaySeconds": 6}),
    );
    let delays: Vec<_> = (0..4).map(|n| plain.delay_millis(n, 0.5)).collect();
    assert_eq!(delays, [3000, 4500, 6000, 6000]);
    let jittered = retrier(&json!({"ErrorEquals": ["A"], "JitterStrategy": "FULL"}));
    assert_eq!((jittered.delay_millis(2, 0.0), jittered.delay_millis(2, 0.5)), (0, 2000));
    assert_eq!(jittered.max_attempts, 3);
    assert_eq!(plain.delay_millis(u32::MAX, 0.0), 6000);
}
