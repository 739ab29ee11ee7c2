//! The one rule of the embedded event bus: an execution of the import machine that ended without success starts an
//! execution of the dead-letter machine, whose input is the event. Like EventBridge it delivers after the fact, and
//! tries again for a while.

use std::sync::{Arc, Weak};
use std::time::Duration;

use serde_json::{Value, json};

use crate::resources::Resources;
use crate::states::States;

/// The pause between two tries at delivering an event.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the delivery of one event is tried.
const TRIES: u32 = 50;

/// Whether the rule's pattern matches the event.
fn matches(event: &Value, import_machine: &str) -> bool {
    event["source"] == "aws.states"
        && event["detail-type"] == "Step Functions Execution Status Change"
        && event["detail"]["stateMachineArn"] == import_machine
        && matches!(event["detail"]["status"].as_str(), Some("FAILED" | "TIMED_OUT" | "ABORTED"))
}

/// Puts the rule in force.
pub(crate) fn install(states: &Arc<States>, resources: &Resources) {
    let import_machine = resources.import_state_machine_arn.clone();
    let target = resources.dead_letter_state_machine_arn.clone();
    // Weak, because the states hold the rule.
    let weak = Arc::downgrade(states);
    let runtime = tokio::runtime::Handle::current();
    states.on_status_change(Box::new(move |event| {
        if matches(&event, &import_machine) {
            runtime.spawn(deliver(Weak::clone(&weak), event, target.clone()));
        }
    }));
}

/// Starts the target with the event.
async fn deliver(states: Weak<States>, event: Value, dead_letter_machine: String) {
    // The name makes a second delivery of the same event a duplicate.
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
            assert!(matches(&event("import", status), "import"), "{status}");
        }
        for status in ["RUNNING", "SUCCEEDED", "PENDING_REDRIVE"] {
            assert!(!matches(&event("import", status), "import"), "{status}");
        }
        assert!(!matches(&event("dead-letter", "FAILED"), "import"));
    }
}
