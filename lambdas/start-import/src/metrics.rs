//! What became of the messages of one invocation, in numbers: the line of the log that is also its metrics.

use logging::METRICS;
use tracing::info;

use crate::decision::Decision;

/// Writes the line at the end of an invocation that has decided so.
pub(crate) fn tell(decisions: &[Decision]) {
    let count = |of: Decision| decisions.iter().filter(|decision| **decision == of).count();
    info!(
        target: METRICS,
        started = count(Decision::Started),
        held = count(Decision::Held),
        acknowledged = count(Decision::Acknowledged),
        left = count(Decision::Left),
        "Decided on {} messages",
        decisions.len()
    );
}
