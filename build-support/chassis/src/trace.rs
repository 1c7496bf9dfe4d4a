//! W3C trace context: reading and writing `traceparent`, and carrying it in tracing spans.
//!
//! The context is kept in the span itself, so that logs and calls are correlated also where no
//! OpenTelemetry collector is set up.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan as _;

use crate::Ids;

/// Where a call stands in its trace: W3C Trace Context, level 1. Neither id is ever all zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    /// Whether the caller records this trace.
    pub sampled: bool,
}

impl TraceContext {
    /// A trace of its own.
    pub fn new(ids: &Ids) -> TraceContext {
        let (mut trace_id, mut span_id) = (ids.bytes::<16>(), ids.bytes::<8>());
        // All-zero ids are invalid, and 2^-64 is not never.
        trace_id[0] |= 1;
        span_id[0] |= 1;
        TraceContext { trace_id, span_id, sampled: true }
    }

    /// Reads a `traceparent` header. Upper case, all-zero ids and the version `ff` are invalid; of a later
    /// version the known part is taken.
    pub fn parse(header: &str) -> Option<TraceContext> {
        let (version, rest) = header.split_at_checked(2)?;
        let version = u8::from_be_bytes(hex(version)?);
        let (fields, more) = rest.split_at_checked(53)?;
        let well_ended = more.is_empty() || (version > 0 && more.starts_with('-'));
        let mut parts = fields.strip_prefix('-')?.split('-');
        let (trace_id, span_id) = (hex(parts.next()?)?, hex(parts.next()?)?);
        let [flags] = hex(parts.next()?)?;
        let valid = version != 0xff
            && well_ended
            && parts.next().is_none()
            && trace_id != [0; 16]
            && span_id != [0; 8];
        valid.then_some(TraceContext { trace_id, span_id, sampled: flags & 1 == 1 })
    }

    /// The `traceparent` header, version 00.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.trace_id(), SpanId::from_bytes(self.span_id), u8::from(self.sampled))
    }

    /// The trace id in 32 lower-case hexadecimal digits: the `traceId` of logs and error envelopes.
    pub fn trace_id(&self) -> String {
        TraceId::from_bytes(self.trace_id).to_string()
    }

    /// The same place in the trace, not asking to be recorded: what becomes of a context from outside.
    #[must_use]
    pub fn unsampled(self) -> TraceContext {
        TraceContext { sampled: false, ..self }
    }

    /// The context of the current span or of the nearest one above it that was given one, for calls that
    /// go on from here. `None` outside of any request.
    pub fn current() -> Option<TraceContext> {
        let span = Span::current();
        let recorded = TraceContext::recorded_by(&span);
        recorded.or_else(|| {
            span.with_subscriber(|(id, dispatch)| {
                let registry = dispatch.downcast_ref::<Registry>()?;
                registry.span(id)?.scope().find_map(|span| span.extensions().get::<TraceContext>().copied())
            })?
        })
    }

    fn recorded_by(span: &Span) -> Option<TraceContext> {
        let context = span.context();
        let span = context.span().span_context().clone();
        span.is_valid().then(|| TraceContext {
            trace_id: span.trace_id().to_bytes(),
            span_id: span.span_id().to_bytes(),
            sampled: span.is_sampled(),
        })
    }

    fn put_into(self, span: &Span) {
        span.with_subscriber(|(id, dispatch)| {
            if let Some(span) = dispatch.downcast_ref::<Registry>().and_then(|registry| registry.span(id)) {
                span.extensions_mut().replace(self);
            }
        });
        let flags = if self.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let (trace_id, span_id) = (TraceId::from_bytes(self.trace_id), SpanId::from_bytes(self.span_id));
        let remote = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
        // Fails only where no collector is set up, and then there is no trace to hang the span into.
        let _ = span.set_parent(opentelemetry::Context::new().with_remote_span_context(remote));
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

/// The span of one request: everything logged within carries its `traceId` and `requestId`, and calls
/// made within go on in its trace. `name` is the route or the method.
pub fn request_span(name: &str, trace: &TraceContext, request_id: &str) -> Span {
    // At the highest level, so that no log filter can take the ids from the lines it lets through.
    let span =
        tracing::error_span!("request", otel.name = name, traceId = trace.trace_id(), requestId = request_id);
    trace.put_into(&span);
    span
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_survives_the_round_trip() {
        let context = TraceContext::parse(HEADER).unwrap();
        assert!(context.sampled);
        assert_eq!(context.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.traceparent(), HEADER);
        let made = TraceContext::new(&Ids::seeded(1));
        assert_eq!(TraceContext::parse(&made.traceparent()), Some(made));
    }

    #[test]
    fn malformed_headers_are_refused() {
        for header in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47é-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(header), None, "{header}");
        }
    }

    #[test]
    fn of_a_later_version_the_known_part_is_taken() {
        let later = HEADER.replacen("00", "01", 1) + "-what-comes-next";
        assert!(TraceContext::parse(&later).is_some());
    }

    #[test]
    fn a_call_made_inside_a_request_goes_on_in_its_trace() {
        let context = TraceContext::parse(HEADER).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry(), || {
            assert_eq!(TraceContext::current(), None);
            let request = request_span("GetMe", &context, "r-1").entered();
            let inner = tracing::info_span!("query").entered();
            assert_eq!(TraceContext::current(), Some(context));
            drop((inner, request));
        });
    }
}
