//! What a process's log says, line by line.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::{debug, info, info_span, warn};

use super::*;
use crate::{About, import_span};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines that `events` writes under this filter.
fn lines(filter: &str, namespace: Option<&str>, events: impl FnOnce()) -> Vec<Value> {
    let log = Log::default();
    let settings = Settings {
        format: Format::Json,
        filter: filter.to_owned(),
        namespace: namespace.map(|namespace| namespace.parse().unwrap()),
    };
    let writer = log.clone();
    tracing::subscriber::with_default(subscriber(&settings, move || writer.clone()), events);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn about() -> About<'static> {
    About { import_id: Some("people-1"), execution: Some("arn:e"), message_id: Some("m"), trace_id: None }
}

#[test]
fn every_line_within_the_span_has_the_fields_at_its_top() {
    let lines = lines("info", None, || {
        let span = import_span(&about());
        span.in_scope(|| info!(rows = 3, "Begun"));
        span.record("attempt", 2);
        span.in_scope(|| {
            info_span!("of a library", attempt = 7).in_scope(|| warn!(target: "library", "Odd"))
        });
        span.in_scope(|| warn!("Again"));
        info!("Outside");
    });
    assert_eq!(lines.len(), 4);
    let first = lines[0].as_object().unwrap();
    let names: Vec<_> = first.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["timestamp", "level", "message", "import_id", "execution", "message_id", "rows", "target"]
    );
    assert_eq!((&first["message"], &first["rows"]), (&json!("Begun"), &json!(3)));
    // The innermost has the last word.
    assert_eq!((&lines[1]["import_id"], &lines[1]["attempt"]), (&json!("people-1"), &json!(7)));
    assert_eq!((&lines[2]["attempt"], &lines[2]["level"]), (&json!(2), &json!("WARN")));
    assert_eq!(lines[3].get("import_id"), None);
}

#[test]
fn the_fields_do_not_depend_on_what_the_filter_lets_pass() {
    for filter in ["warn", "logging=warn", "error,logging::start=info"] {
        let lines = lines(filter, None, || import_span(&about()).in_scope(|| warn!("Slow")));
        assert_eq!(lines[0]["import_id"], "people-1", "{filter}");
    }
}

#[test]
fn metrics_are_written_whatever_the_filter_lets_pass_unless_it_is_off() {
    let events = || {
        import_span(&about()).in_scope(|| info!(target: METRICS, rows = 3, table = "people", "Imported"));
        info!(rows = 4, "No metric");
    };
    let written = lines("warn", Some("Baton/a"), events);
    assert_eq!(written.len(), 1);
    let directive = &written[0]["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "Baton/a");
    assert_eq!(directive["Metrics"], json!([{"Name": "rows", "Unit": "Count"}]));
    assert_eq!((&written[0]["rows"], &written[0]["import_id"]), (&json!(3), &json!("people-1")));
    assert_eq!(lines("off", Some("Baton/a"), events), [json!(null); 0]);
    // Where nobody takes them they are lines like any other.
    assert_eq!(lines("warn", None, events).len(), 0);
    let plain = lines("info", None, events);
    assert_eq!((plain.len(), plain[0].get("_aws")), (2, None));
}

#[test]
fn the_wire_is_not_logged_whatever_the_filter_asks_for() {
    let lines = lines("trace", None, || {
        debug!(target: "aws_smithy_runtime::client", "token");
        debug!(target: "worker", "Beat");
    });
    assert_eq!(lines.iter().map(|line| &line["message"]).collect::<Vec<_>>(), ["Beat"]);
}
