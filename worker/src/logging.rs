//! The log, on standard error. Two things never reach it, whatever the filter asks for: the wire, where task tokens go
//! by, and the message of a panic, which may hold a row's contents.

use std::io::IsTerminal;

use tracing::{Level, Metadata, error};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogConfig, LogFormat};

/// The crates below the AWS clients, by the beginning of their names.
const WIRE: [&str; 6] = ["aws_", "hyper", "h2", "rustls", "reqwest", "tower"];

/// Starts the log, once in a process. Where something else has started one already, that one stays.
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::try_new(&config.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = match config.format {
        LogFormat::Json => {
            layer().json().flatten_event(true).with_span_list(false).with_writer(std::io::stderr).boxed()
        }
        LogFormat::Text => {
            layer().with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).boxed()
        }
    };
    let _ = tracing_subscriber::registry().with(filter).with(lines.with_filter(filter_fn(is_fit))).try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        error!(panic.place = place, "Panicked at {place}");
    }));
}

fn is_fit(metadata: &Metadata<'_>) -> bool {
    *metadata.level() <= Level::INFO || !WIRE.iter().any(|wire| metadata.target().starts_with(wire))
}
