//! The one rule of the embedded event bus: an execution of the import machine that ended without success starts an
//! execution of the dead-letter machine, whose input is the event. Like EventBridge it delivers after the fact, tries
//! again for a while, and can be disabled: events that come meanwhile are lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::resources::{self, Resources};
use crate::states::States;
use crate::wire::{AwsError, parse};

/// The pause between two tries at delivering an event.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the delivery of one event is tried.
const TRIES: u32 = 50;

/// The rule. It is enabled whenever the stack starts.
pub(crate) struct Rule {
    import_machine: String,
    dead_letter_machine: String,
    enabled: AtomicBool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct OneRule {
    name: String,
}

impl Rule {
    /// Puts the rule in force.
    pub(crate) fn install(states: &Arc<States>, resources: &Resources) -> Arc<Self> {
        let rule = Arc::new(Self {
            import_machine: resources.import_state_machine_arn.clone(),
            dead_letter_machine: resources.dead_letter_state_machine_arn.clone(),
            enabled: AtomicBool::new(true),
        });
        // Weak, because the states hold the rule.
        let weak = Arc::downgrade(states);
        let runtime = tokio::runtime::Handle::current();
        let installed = Arc::clone(&rule);
        states.on_status_change(Box::new(move |event| {
            if installed.enabled.load(Ordering::Relaxed) && installed.matches(&event) {
                runtime.spawn(deliver(Weak::clone(&weak), event, installed.dead_letter_machine.clone()));
            }
        }));
        rule
    }

    /// Answers one operation of EventBridge.
    ///
    /// # Errors
    /// The error as EventBridge names it.
    pub(crate) fn call(&self, operation: &str, body: Value) -> Result<Value, AwsError> {
        if !matches!(operation, "DescribeRule" | "DisableRule" | "EnableRule") {
            return Err(AwsError::not_implemented("events", operation));
        }
        let OneRule { name } = parse(operation, body)?;
        if name != resources::RULE {
            let message = format!("Rule {name} does not exist on EventBus default.");
            return Err(AwsError::client("ResourceNotFoundException", message));
        }
        match operation {
            "DisableRule" => self.enabled.store(false, Ordering::Relaxed),
            "EnableRule" => self.enabled.store(true, Ordering::Relaxed),
            _ => {
                let state = if self.enabled.load(Ordering::Relaxed) { "ENABLED" } else { "DISABLED" };
                return Ok(json!({"Name": name, "EventBusName": "default", "State": state}));
            }
        }
        Ok(json!({}))
    }

    /// Whether the rule's pattern matches the event.
    fn matches(&self, event: &Value) -> bool {
        event["source"] == "aws.states"
            && event["detail-type"] == "Step Functions Execution Status Change"
            && event["detail"]["stateMachineArn"] == self.import_machine
            && matches!(event["detail"]["status"].as_str(), Some("FAILED" | "TIMED_OUT" | "ABORTED"))
    }
}

/// Starts the target with the event.
async fn deliver(states: Weak<States>, event: Value, dead_letter_machine: String) {
    // EventBridge makes up a name of its own; a try that was taken all the same is not to start another.
    let start = json!({
        "stateMachineArn": dead_letter_machine,
        "name": event["id"],
        "input": event.to_string(),
    });
    for _ in 0..TRIES {
        let Some(states) = states.upgrade() else { return };
        match states.call("StartExecution", start.clone()).await {
            Ok(_) => return,
            Err(error) if error.code == "ExecutionAlreadyExists" => return,
            Err(error) => tracing::warn!(%error, "failed to start the dead-letter execution"),
        }
        drop(states);
        tokio::time::sleep(PAUSE).await;
    }
    tracing::error!("gave up on the event of {}", event["detail"]["executionArn"]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Rule {
        let [import_machine, dead_letter_machine] = ["import", "dead-letter"].map(str::to_owned);
        Rule { import_machine, dead_letter_machine, enabled: AtomicBool::new(true) }
    }

    fn event(machine: &str, status: &str) -> Value {
        json!({
            "source": "aws.states",
            "detail-type": "Step Functions Execution Status Change",
            "detail": {"stateMachineArn": machine, "status": status},
        })
    }

    #[test]
    fn only_an_import_that_ended_without_success_is_dead_lettered() {
        for status in ["FAILED", "TIMED_OUT", "ABORTED"] {
            assert!(rule().matches(&event("import", status)), "{status}");
        }
        for status in ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"] {
            assert!(!rule().matches(&event("import", status)), "{status}");
        }
        assert!(!rule().matches(&event("dead-letter", "FAILED")));
    }

    #[test]
    fn the_documented_events_are_matched_as_on_aws() {
        let text = include_str!("../../../statemachine/tests/events/execution-status-change.json");
        let documented: Value = serde_json::from_str(text).unwrap();
        let rule = Rule {
            import_machine: "arn:aws:states:us-east-1:012345678912:stateMachine:state-machine".to_owned(),
            ..rule()
        };
        let events = documented["events"].as_array().unwrap();
        let matched = events.iter().filter(|event| rule.matches(event));
        let statuses: Vec<&Value> = matched.map(|event| &event["detail"]["status"]).collect();
        assert_eq!(statuses, ["FAILED", "TIMED_OUT", "ABORTED"]);
    }

    #[test]
    fn the_rule_is_disabled_and_enabled_by_its_name() {
        let rule = rule();
        let named = json!({"Name": resources::RULE});
        for (operation, state) in [("DisableRule", "DISABLED"), ("EnableRule", "ENABLED")] {
            rule.call(operation, named.clone()).unwrap();
            assert_eq!(rule.call("DescribeRule", named.clone()).unwrap()["State"], state);
        }
        let unknown = rule.call("DisableRule", json!({"Name": "other"})).unwrap_err();
        assert_eq!(unknown.code, "ResourceNotFoundException");
        assert_eq!(rule.call("PutRule", named).unwrap_err().code, "UnknownOperationException");
    }
}
