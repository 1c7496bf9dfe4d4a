//! Logs and traces of the process: set up once at start, flushed once at the end.
//!
//! What is logged is the code's; who may see it and where it goes is decided here.

mod lines;
mod otlp;

use std::io::IsTerminal as _;
use std::time::Duration;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry};

use crate::config::{LogFormat, Setting, Source};

/// How long the last spans may take on their way out.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// What is logged, in which form, and where traces go.
#[derive(Debug, Clone)]
pub struct TelemetryConfig {
    /// Directives of `RUST_LOG`, checked.
    pub filter: LogFilter,
    /// Text or JSON.
    pub format: LogFormat,
    /// `http://host:port` of an OTLP collector.
    pub otlp_endpoint: Option<OtlpEndpoint>,
}

impl TelemetryConfig {
    /// Reads `RUST_LOG`, `LOG_FORMAT` and `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn read(source: &mut Source) -> TelemetryConfig {
        TelemetryConfig {
            filter: source.value("RUST_LOG"),
            format: source.value("LOG_FORMAT"),
            otlp_endpoint: source.value("OTEL_EXPORTER_OTLP_ENDPOINT"),
        }
    }
}

/// Log directives that are known to parse.
#[derive(Debug, Clone)]
pub struct LogFilter(String);

impl Setting for LogFilter {
    fn parse(text: &str) -> Result<Self, String> {
        EnvFilter::try_new(text)
            .map(|_| LogFilter(text.to_owned()))
            .map_err(|_| format!("`{text}` is no log filter, expected such as info or info,auth=debug"))
    }

    fn placeholder() -> Self {
        LogFilter(String::new())
    }
}

/// Address of a collector that speaks OTLP over gRPC without TLS: one on the same host or in the same pod.
#[derive(Debug, Clone)]
pub struct OtlpEndpoint(String);

impl Setting for OtlpEndpoint {
    fn parse(text: &str) -> Result<Self, String> {
        let url = <url::Url as Setting>::parse(text)?;
        match url.scheme() {
            "http" => Ok(OtlpEndpoint(text.to_owned())),
            other => {
                Err(format!("scheme `{other}` is not supported, expected http:// to a collector near by"))
            }
        }
    }

    fn placeholder() -> Self {
        OtlpEndpoint(String::new())
    }
}

/// What must be ended for no span to be lost.
#[must_use = "the last spans are sent by `flush`"]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

/// Sets up logs, traces and metrics for this process and names it `service` in every line; a span's
/// field `service` overrides that for what happens inside.
///
/// A second call in one process changes nothing. Must be called within a tokio runtime.
pub fn init(config: &TelemetryConfig, service: &'static str) -> Telemetry {
    crate::metrics::install();
    let provider = config.otlp_endpoint.as_ref().and_then(|endpoint| otlp::provider(&endpoint.0, service));
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("platform")).with_filter(otlp::own_spans())
    });
    let as_text = match config.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Json => false,
        LogFormat::Text => true,
    };
    let logs = if as_text {
        tracing_subscriber::fmt::layer().with_writer(std::io::stderr).boxed()
    } else {
        lines::Lines::new(service, std::io::stderr).boxed()
    };
    let filter = EnvFilter::new(&config.filter.0);
    let started = Registry::default().with(traces).with(logs.with_filter(filter)).try_init();
    if started.is_ok() {
        log_panics();
    }
    Telemetry { provider }
}

impl Telemetry {
    /// Sends what is left, for at most 2 s.
    pub async fn flush(self) {
        let Some(provider) = self.provider else { return };
        // The exporter blocks its thread while it waits for the collector.
        let last = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(FLUSH_TIMEOUT));
        if tokio::time::timeout(FLUSH_TIMEOUT, last).await.is_err() {
            tracing::warn!("the last spans could not be sent in time");
        }
    }
}

/// A panic becomes a log line like any other, with its place and message.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload_as_str().unwrap_or("no message");
        tracing::error!(place, panic = message, "a task panicked");
    }));
}
