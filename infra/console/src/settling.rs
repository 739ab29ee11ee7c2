//! What was redriven here is followed behind the scenes, so that its dead letters are deleted once it has succeeded.

use ops::redrive::start;

use crate::state::Shared;

/// Follows them beside the answer. Where the console ends before they do, `baton redrive` deletes the dead letters of executions that have succeeded.
pub(crate) fn settle_later(console: &Shared, started: start::Started) {
    let console = Shared::clone(console);
    tokio::spawn(async move {
        if let Err(error) = start::settle(&console.target, started, None).await {
            tracing::warn!("failed to follow what was redriven: {error:#}");
        }
    });
}
