//! The events of a history, as `GetExecutionHistory` gives them: each type with its own field of details.

use serde_json::{Map, Value, json};

use crate::states::definition::Resource;
use crate::states::execution::Failure;
use crate::states::time::Timestamp;

/// One event of a history. Details repeat tokens: not `Debug`.
#[derive(Clone)]
pub struct HistoryEvent {
    /// Its place, counted from 1.
    pub id: i64,
    /// The event before it; 0 for the first and for the entry into the first state.
    pub previous_id: i64,
    /// When.
    pub timestamp: Timestamp,
    /// The type, such as `TaskScheduled`.
    pub event_type: String,
    /// The details' field and what it holds, for types that have details.
    pub details: Option<(&'static str, Value)>,
}

/// The details of an event: the name of their field, and what it holds.
pub(super) type Details = Option<(&'static str, Value)>;

pub(super) fn execution_started(input: &Value, role_arn: &str) -> Details {
    let details = json!({"input": input.to_string(), "inputDetails": whole(), "roleArn": role_arn});
    Some(("executionStartedEventDetails", details))
}

pub(super) fn execution_succeeded(output: &Value) -> Details {
    let details = json!({"output": output.to_string(), "outputDetails": whole()});
    Some(("executionSucceededEventDetails", details))
}

/// The details of an execution that ended without success; `field` is that of its type.
pub(super) fn execution_ended(field: &'static str, failure: &Failure) -> Details {
    Some((field, failed(Map::new(), failure)))
}

pub(super) fn execution_redriven(count: u32) -> Details {
    Some(("executionRedrivenEventDetails", json!({"redriveCount": count})))
}

pub(super) fn state_entered(name: &str, input: &Value) -> Details {
    let details = json!({"name": name, "input": input.to_string(), "inputDetails": whole()});
    Some(("stateEnteredEventDetails", details))
}

pub(super) fn state_exited(name: &str, output: &Value, assigned: &[(String, Value)]) -> Details {
    let mut details = json!({"name": name, "output": output.to_string(), "outputDetails": whole()});
    if !assigned.is_empty() {
        let variables: Map<_, _> =
            assigned.iter().map(|(name, value)| (name.clone(), Value::from(value.to_string()))).collect();
        details["assignedVariables"] = Value::Object(variables);
        details["assignedVariablesDetails"] = whole();
    }
    Some(("stateExitedEventDetails", details))
}

pub(super) fn evaluation_failed(state: &str, location: &str, failure: &Failure) -> Details {
    let mut details = Map::new();
    details.insert("state".to_owned(), state.into());
    details.insert("location".to_owned(), location.into());
    Some(("evaluationFailedEventDetails", failed(details, failure)))
}

pub(super) fn task_scheduled(
    resource: Resource,
    region: &str,
    parameters: &Value,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
) -> Details {
    let mut details = task(resource);
    details.insert("region".to_owned(), region.into());
    details.insert("parameters".to_owned(), parameters.to_string().into());
    for (field, seconds) in [("timeoutInSeconds", timeout_seconds), ("heartbeatInSeconds", heartbeat_seconds)]
    {
        if let Some(seconds) = seconds {
            details.insert(field.to_owned(), seconds.into());
        }
    }
    Some(("taskScheduledEventDetails", Value::Object(details)))
}

pub(super) fn task_started(resource: Resource) -> Details {
    Some(("taskStartedEventDetails", Value::Object(task(resource))))
}

pub(super) fn task_submitted(resource: Resource, output: &Value) -> Details {
    Some(("taskSubmittedEventDetails", task_output(resource, output)))
}

pub(super) fn task_succeeded(resource: Resource, output: &Value) -> Details {
    Some(("taskSucceededEventDetails", task_output(resource, output)))
}

pub(super) fn task_failed(resource: Resource, failure: &Failure) -> Details {
    Some(("taskFailedEventDetails", failed(task(resource), failure)))
}

pub(super) fn task_timed_out(resource: Resource, failure: &Failure) -> Details {
    Some(("taskTimedOutEventDetails", failed(task(resource), failure)))
}

fn task(resource: Resource) -> Map<String, Value> {
    let fields = [("resourceType", resource.resource_type()), ("resource", resource.name())];
    fields.into_iter().map(|(field, value)| (field.to_owned(), Value::from(value))).collect()
}

fn task_output(resource: Resource, output: &Value) -> Value {
    let mut details = task(resource);
    details.insert("output".to_owned(), output.to_string().into());
    details.insert("outputDetails".to_owned(), whole());
    Value::Object(details)
}

fn failed(mut details: Map<String, Value>, failure: &Failure) -> Value {
    for (field, text) in [("error", &failure.error), ("cause", &failure.cause)] {
        if let Some(text) = text {
            details.insert(field.to_owned(), text.as_str().into());
        }
    }
    Value::Object(details)
}

fn whole() -> Value {
    json!({"truncated": false})
}
