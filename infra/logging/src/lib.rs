#![doc = include_str!("../README.md")]

mod json;
mod metrics;
mod start;

pub use metrics::{InvalidNamespace, METRICS, Namespace};
pub use start::{Format, InvalidFilter, Settings, check_filter, start};

use tracing::field::Empty;
use tracing::{Span, error_span};

/// What lines are about, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct About<'a> {
    /// The key of the import's row.
    pub import_id: Option<&'a str>,
    /// The ARN of the import's execution.
    pub execution: Option<&'a str>,
    /// The id that SQS gave the message.
    pub message_id: Option<&'a str>,
    /// The id of the trace that the message belongs to.
    pub trace_id: Option<&'a str>,
}

/// A span that writes these fields into every line within it. `attempt` can be recorded later.
#[must_use]
pub fn import_span(about: &About<'_>) -> Span {
    // As an error, so that a filter that lets warnings alone pass does not take the fields from them.
    error_span!(
        target: start::IMPORT,
        "import",
        import_id = about.import_id,
        execution = about.execution,
        message_id = about.message_id,
        trace_id = about.trace_id,
        attempt = Empty,
    )
}
