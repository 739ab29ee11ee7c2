//! Holds the definitions against the types: names, variables, timeouts.
#![expect(clippy::unwrap_used, reason = "a definition that cannot be read is a failed test")]

use std::collections::BTreeSet;

use serde_json::{Value, json};
use statemachine::{
    Body, DEAD_LETTER_DEFINITION, EXECUTION_ARN, FailureName, IMPORT, IMPORT_DEFINITION, TASK_TOKEN,
    TRACE_HEADER, TraceHeader, parse_body,
};

fn machines() -> [(&'static str, Value); 2] {
    [("import", IMPORT_DEFINITION), ("dead-letter", DEAD_LETTER_DEFINITION)]
        .map(|(name, text)| (name, serde_json::from_str(text).unwrap()))
}

fn states(machine: &Value) -> impl Iterator<Item = (&String, &Value)> {
    machine["States"].as_object().unwrap().iter()
}

fn run_import() -> Value {
    let [(_, import), _] = machines();
    import["States"]["RunImport"].clone()
}

fn names_in(retrier: &Value) -> BTreeSet<&str> {
    retrier["ErrorEquals"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn the_first_retrier_lists_exactly_the_permanent_failures_and_retries_none() {
    let state = run_import();
    let permanent: BTreeSet<_> = FailureName::ALL
        .iter()
        // A message that asks for no import never reaches RunImport.
        .filter(|name| !name.is_transient() && **name != FailureName::MessageInvalid)
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names_in(&state["Retry"][0]), permanent);
    assert_eq!(state["Retry"][0]["MaxAttempts"], 0);
}

#[test]
fn every_transient_failure_is_retried_by_name() {
    let state = run_import();
    let retried: BTreeSet<_> = state["Retry"].as_array().unwrap()[1..].iter().flat_map(names_in).collect();
    for name in FailureName::ALL.iter().filter(|name| name.is_transient()) {
        assert!(retried.contains(name.as_str()), "{name} is not retried");
    }
}

#[test]
fn a_missed_heartbeat_is_retried_under_both_of_its_names() {
    let state = run_import();
    let retriers = state["Retry"].as_array().unwrap();
    assert!(
        retriers
            .iter()
            .any(|r| names_in(r).is_superset(&["States.HeartbeatTimeout", "States.Timeout"].into()))
    );
}

#[test]
fn a_container_that_cannot_be_started_is_asked_for_again_for_about_an_hour() {
    let state = run_import();
    let retriers = state["Retry"].as_array().unwrap();
    let retrier = retriers.iter().find(|retrier| names_in(retrier).contains("AmazonECS.Unknown")).unwrap();
    assert!(names_in(retrier).contains("ECS.ThrottlingException"));
    let number = |field: &str| retrier[field].as_u64().unwrap();
    let (interval, rate, longest) =
        (number("IntervalSeconds"), number("BackoffRate"), number("MaxDelaySeconds"));
    let waits: Vec<u64> = std::iter::successors(Some(interval), |wait| Some(wait * rate))
        .map(|wait| wait.min(longest))
        .take(usize::try_from(number("MaxAttempts")).unwrap())
        .collect();
    assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600, 600, 600, 600]);
    assert_eq!(waits.iter().sum::<u64>(), 65 * 60 + 30);
}

#[test]
fn an_event_is_settled_under_the_name_of_the_execution_that_ended() {
    let [_, (_, dead_letter)] = machines();
    let start = &dead_letter["States"]["StartSettling"];
    assert_eq!(start["Arguments"]["Name"], "{% $states.input.detail.name %}");
    let taken = "Sfn.ExecutionAlreadyExistsException";
    assert_eq!(
        (names_in(&start["Retry"][0]), &start["Retry"][0]["MaxAttempts"]),
        ([taken].into(), &0.into())
    );
    assert_eq!(names_in(&start["Catch"][0]), [taken].into());
}

#[test]
fn nothing_catches_a_failed_import_so_that_redrive_runs_it_again() {
    assert!(run_import().get("Catch").is_none());
}

#[test]
fn a_message_that_asks_for_no_import_fails_under_the_contracts_name() {
    let [(_, import), _] = machines();
    assert_eq!(import["States"]["RejectMessage"]["Error"], FailureName::MessageInvalid.as_str());
}

#[test]
fn the_container_gets_the_variables_that_the_worker_reads() {
    let state = run_import();
    let variables =
        state["Arguments"]["Overrides"]["ContainerOverrides"][0]["Environment"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|variable| variable["Name"].as_str().unwrap()).collect();
    assert_eq!(names, [TASK_TOKEN, EXECUTION_ARN, IMPORT, TRACE_HEADER]);
}

#[test]
fn the_longest_values_fit_into_the_overrides_of_a_task() {
    // As long as they may be: the token by `API_SendTaskSuccess`; names of machine and execution have 80 characters.
    let arn = format!("arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:{0}:{0}", "x".repeat(80));
    let import_of =
        |source: &str| json!({"import_id": "x".repeat(40), "source": source, "table": "t"}).to_string();
    let is_taken = |source: &str| matches!(parse_body(&import_of(source)), Ok(Body::Import(_)));
    // Quotes take most: the longest that is taken, to the next quote.
    let mut source = "s3://b/k".to_owned();
    while is_taken(&format!("{source}\"")) {
        source.push('"');
    }
    let environment: Vec<_> = [
        (TASK_TOKEN, "x".repeat(2048)),
        (EXECUTION_ARN, arn),
        (IMPORT, import_of(&source)),
        (TRACE_HEADER, "x".repeat(TraceHeader::MAX_LENGTH)),
    ]
    .map(|(name, value)| json!({"name": name, "value": value}))
    .into();
    let overrides = json!({"containerOverrides": [{"name": "worker", "environment": environment}]});
    let chars = overrides.to_string().chars().count();
    // "A total of 8192 characters are allowed for overrides. This limit includes the JSON formatting characters"
    assert!((7500..=8192).contains(&chars), "{chars}");
}

#[test]
fn every_task_has_a_timeout_and_a_retry_and_every_machine_a_comment() {
    for (machine, definition) in machines() {
        assert!(definition["Comment"].is_string(), "{machine} has no comment");
        assert_eq!(definition["QueryLanguage"], "JSONata", "{machine}");
        for (name, state) in states(&definition).filter(|(_, state)| state["Type"] == "Task") {
            assert!(state.get("TimeoutSeconds").is_some(), "{machine}.{name} may run for ever");
            assert!(state.get("Retry").is_some(), "{machine}.{name} gives up at once");
        }
    }
}

#[test]
fn a_state_that_passes_the_task_token_asks_for_heartbeats() {
    for (machine, definition) in machines() {
        for (name, state) in states(&definition) {
            if state.to_string().contains("Task.Token") {
                assert!(state.get("HeartbeatSeconds").is_some(), "{machine}.{name}");
            }
        }
    }
}

#[test]
fn accounts_and_regions_come_from_substitutions_alone() {
    for (machine, definition) in machines() {
        let text = definition.to_string();
        for arn in text.split('"').filter(|part| part.starts_with("arn:")) {
            assert!(arn.starts_with("arn:aws:states:::"), "{machine} names {arn}");
        }
    }
}
