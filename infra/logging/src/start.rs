//! Starting the log of a process.

use std::io::{IsTerminal, stderr};

use tracing::{Level, Metadata, Subscriber, error};
use tracing_subscriber::filter::{Directive, filter_fn};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::json::JsonLines;
use crate::metrics::{METRICS, Namespace};

/// The target of the span with the import's fields.
pub(crate) const IMPORT: &str = "baton::import";

/// The crates below the AWS clients, by the beginning of their names.
const WIRE: [&str; 6] = ["aws_", "hyper", "h2", "rustls", "reqwest", "tower"];

/// How to log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The form of a line.
    pub format: Format,
    /// What to log, in the syntax of `tracing-subscriber`.
    pub filter: String,
    /// Where metrics are published, if they are.
    pub namespace: Option<Namespace>,
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object.
    Json,
    /// Text for a person, without metrics.
    Text,
}

/// The filter cannot be understood.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct InvalidFilter(#[from] tracing_subscriber::filter::ParseError);

/// Whether a filter is one.
///
/// # Errors
/// [`InvalidFilter`], which says what is wrong.
pub fn check_filter(filter: &str) -> Result<(), InvalidFilter> {
    Ok(EnvFilter::try_new(filter).map(|_| ())?)
}

/// Starts the log on standard error, once in a process. Where something else has started one already, that one stays. What
/// cannot be understood of the filter counts as `info`.
pub fn start(settings: &Settings) {
    let _ = subscriber(settings, stderr).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        error!(panic_place = place, "Panicked at {place}");
    }));
}

fn subscriber<W>(settings: &Settings, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = match settings.format {
        Format::Json => JsonLines::new(writer, settings.namespace.clone()).boxed(),
        Format::Text => layer().with_ansi(stderr().is_terminal()).with_writer(writer).boxed(),
    };
    tracing_subscriber::registry().with(filter(settings)).with(lines.with_filter(filter_fn(is_fit)))
}

fn filter(settings: &Settings) -> EnvFilter {
    let mut filter = EnvFilter::try_new(&settings.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    if settings.filter.trim() == "off" {
        return filter;
    }
    // The fields of an import and metrics are no matter of how much somebody wants to read.
    let metrics = settings.namespace.as_ref().map(|_| format!("{METRICS}=info"));
    for directive in [Some(format!("{IMPORT}=error")), metrics].into_iter().flatten() {
        if let Ok(directive) = directive.parse::<Directive>() {
            filter = filter.add_directive(directive);
        }
    }
    filter
}

fn is_fit(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !WIRE.iter().any(|wire| metadata.target().starts_with(wire))
}

#[cfg(test)]
mod tests;
