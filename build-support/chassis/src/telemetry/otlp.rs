//! Traces over OTLP: the exporter, and which spans are ours to export.

use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterFn, filter_fn};
use tracing_subscriber::layer::Filter;

/// Transport libraries open spans per frame, the exporter's own among them.
const FOREIGN: [&str; 6] = ["h2", "hyper", "hyper_util", "tonic", "tower", "opentelemetry"];

/// A provider that sends to `endpoint` in the background; without one where the address is unusable.
pub(super) fn provider(endpoint: &str, service: &'static str) -> Option<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_tonic().with_endpoint(endpoint).build();
    match exporter {
        Ok(exporter) => {
            let resource = Resource::builder().with_attribute(KeyValue::new("service.name", service)).build();
            Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
        }
        Err(error) => {
            // Logging is not up yet, and a platform without traces is better than none.
            eprintln!("OTEL_EXPORTER_OTLP_ENDPOINT: traces are off: {error}");
            None
        }
    }
}

/// Lets through the spans the platform opens itself, at info and above.
pub(super) fn own_spans<S: Subscriber>() -> impl Filter<S> {
    let own: FilterFn<fn(&Metadata<'_>) -> bool> = filter_fn(|metadata| {
        let room = metadata.target().split("::").next().unwrap_or_default();
        metadata.is_span() && *metadata.level() <= Level::INFO && !FOREIGN.contains(&room)
    });
    own
}
