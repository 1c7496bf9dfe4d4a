//! Logs and traces of a whole process: one test each, since a process sets them up once.

use std::time::{Duration, Instant};

use chassis::trace::{TraceContext, request_span};
use chassis::{Ids, Source, TelemetryConfig, telemetry};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

fn config(endpoint: &str) -> TelemetryConfig {
    let pairs = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint), ("LOG_FORMAT", "json")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut source = Source::from_pairs(&[chassis::DEFAULTS], pairs).unwrap();
    let config = TelemetryConfig::read(&mut source);
    source.finish().unwrap();
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_reach_the_collector_and_a_request_keeps_its_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let telemetry = telemetry::init(&config(&format!("http://{}", collector.local_addr().unwrap())), "auth");

    let trace = TraceContext::new(&Ids::random());
    request_span("Login", &trace, "r-1").in_scope(|| {
        let onwards = TraceContext::current().unwrap();
        assert_eq!(onwards.trace_id(), trace.trace_id());
        assert_ne!(onwards, trace, "the call onwards hangs below this request's own span");
    });

    let received = async {
        let (mut stream, _) = collector.accept().await.unwrap();
        let mut preface = [0; 14];
        stream.read_exact(&mut preface).await.unwrap();
        preface
    };
    let begun = Instant::now();
    let (preface, ()) = tokio::join!(received, telemetry.flush());
    assert_eq!(&preface, b"PRI * HTTP/2.0");
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "a collector that never answers: {:?}",
        begun.elapsed()
    );
}

#[test]
fn a_collector_behind_tls_and_a_malformed_filter_are_faults() {
    let pairs = [("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector"), ("RUST_LOG", "info,=x=y")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut source = Source::from_pairs(&[chassis::DEFAULTS], pairs).unwrap();
    TelemetryConfig::read(&mut source);
    let faults = source.finish().unwrap_err().to_string();
    assert!(faults.contains("RUST_LOG: ") && faults.contains("OTEL_EXPORTER_OTLP_ENDPOINT: "), "{faults}");
}
