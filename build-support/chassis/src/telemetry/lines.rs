//! Log lines of one flat shape: one JSON object a line, the same first keys in every service, then the
//! fields of the surrounding spans and of the event itself.

use std::fmt;
use std::io::Write as _;

use chrono::SecondsFormat;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::Clock;

/// Keys with one meaning in every line; an event's field of such a name is written as `field.<name>`.
const FIXED: [&str; 5] = ["timestamp", "level", "service", "target", "message"];

/// The layer that writes them.
pub(super) struct Lines<W> {
    service: &'static str,
    clock: Clock,
    writer: W,
}

/// What a span adds to the lines within; kept in the span.
struct SpanFields(Map<String, Value>);

impl<W> Lines<W> {
    pub(super) fn new(service: &'static str, writer: W) -> Lines<W> {
        Lines { service, clock: Clock::system(), writer }
    }

    fn line<S>(&self, event: &Event<'_>, context: &Context<'_, S>) -> Map<String, Value>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let mut own = Map::new();
        event.record(&mut Fields(&mut own));
        let timestamp = self.clock.now().to_rfc3339_opts(SecondsFormat::Millis, true);
        let target = own.remove("log.target").unwrap_or_else(|| event.metadata().target().into());

        let mut line = Map::new();
        line.insert("timestamp".to_owned(), timestamp.into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("service".to_owned(), self.service.into());
        line.insert("target".to_owned(), target);
        line.insert("message".to_owned(), own.remove("message").unwrap_or_else(|| "".into()));
        for span in
            context.event_scope(event).into_iter().flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(SpanFields(fields)) = span.extensions().get() {
                line.extend(fields.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        for (name, value) in own {
            let name = if FIXED.contains(&name.as_str()) { format!("field.{name}") } else { name };
            line.insert(name, value);
        }
        line
    }
}

impl<S, W> Layer<S> for Lines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Map::new();
        attributes.record(&mut Fields(&mut fields));
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(SpanFields(fields)) = span.extensions_mut().get_mut()
        {
            values.record(&mut Fields(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut text = Value::Object(self.line(event, &context)).to_string();
        text.push('\n');
        // A log that cannot be written has nowhere to complain.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(text.as_bytes());
    }
}

/// Collects fields; those meant for the trace exporter (`otel.…`) or the `log` bridge are left out.
struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Value) {
        let name = field.name();
        let bridge = name.starts_with("log.") && name != "log.target";
        if !bridge && !name.starts_with("otel.") {
            self.0.insert(name.to_owned(), value);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.put(field, text.into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::Ids;
    use crate::trace::{TraceContext, request_span};

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written_by(act: impl FnOnce()) -> Vec<Value> {
        let paper = Paper::default();
        let writer = paper.clone();
        let lines = Lines::new("platform", move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), act);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_within_a_request_carries_its_ids_and_the_service() {
        let trace = TraceContext::new(&Ids::seeded(1));
        let lines = written_by(|| {
            let _service = tracing::info_span!("service", service = "auth").entered();
            let _request = request_span("Login", &trace, "r-1").entered();
            tracing::info!(attempts = 3, "signed in");
        });
        let line = &lines[0];
        assert_eq!(line["service"], "auth");
        assert_eq!(line["message"], "signed in");
        assert_eq!(line["level"], "INFO");
        assert_eq!(line["traceId"], trace.trace_id());
        assert_eq!(line["requestId"], "r-1");
        assert_eq!(line["attempts"], 3);
        assert_eq!(line.get("otel.name"), None);
    }

    #[test]
    fn a_field_cannot_take_the_place_of_a_fixed_key_nor_break_the_line() {
        let lines = written_by(|| tracing::warn!(level = "loud", text = "a\nb", "odd"));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0]["level"], "WARN");
        assert_eq!(lines[0]["field.level"], "loud");
        assert_eq!(lines[0]["text"], "a\nb");
        assert_eq!(lines[0]["service"], "platform");
    }
}
