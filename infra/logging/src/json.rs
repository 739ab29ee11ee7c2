//! A line of the log: one flat JSON object with the fields of the event and of the spans that it lies in.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::metrics::{METRICS, Namespace};

/// Writes every event as a line. What more than one of them says, the innermost span or the event itself has the last word on.
pub(crate) struct JsonLines<W> {
    writer: W,
    namespace: Option<Namespace>,
}

/// The fields of a span, as far as they are recorded.
struct SpanFields(Map<String, Value>);

impl<W> JsonLines<W> {
    /// Lines for `writer`; those with metrics say so for `namespace`, where there is one.
    pub(crate) fn new(writer: W, namespace: Option<Namespace>) -> Self {
        Self { writer, namespace }
    }
}

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Recorder(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Recorder(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Map::new();
        event.record(&mut Recorder(&mut own));
        let metadata = event.metadata();
        let mut line = Map::new();
        let mut timestamp = String::new();
        if tracing_subscriber::fmt::time::SystemTime.format_time(&mut Writer::new(&mut timestamp)).is_ok() {
            line.insert("timestamp".to_owned(), timestamp.into());
        }
        line.insert("level".to_owned(), metadata.level().as_str().into());
        line.insert("message".to_owned(), own.shift_remove("message").unwrap_or_default());
        if let Some(namespace) = self.namespace.as_ref().filter(|_| metadata.target() == METRICS) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            line.extend(namespace.metadata(&own, now.as_millis()).map(|of| ("_aws".to_owned(), of)));
        }
        for span in context.event_scope(event).into_iter().flat_map(|spans| spans.from_root()) {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.extend(fields.clone());
            }
        }
        line.extend(own);
        line.insert("target".to_owned(), metadata.target().into());
        let line = format!("{}\n", Value::Object(line));
        // There is nobody to tell of a log that cannot be written.
        let _ = std::io::Write::write_all(&mut self.writer.make_writer_for(metadata), line.as_bytes());
    }
}

/// Collects fields.
struct Recorder<'a>(&'a mut Map<String, Value>);

impl Recorder<'_> {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Recorder<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }
}
