//! Prometheus metrics of the process: installed once, rendered by the operations server.
//!
//! Recording goes through the `metrics` facade wherever something happens. Names are prefixed
//! `platform_` and end in their unit (`_seconds`, `_bytes`, `_total`); where one process may hold several
//! services the label `service` tells them apart.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Upper bounds, in seconds: fine where answers lie, coarse up to the longest deadline.
const SECONDS: [f64; 14] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Starts recording. Until then recording costs nothing and keeps nothing; a second call changes nothing.
pub fn install() {
    RECORDER.get_or_init(|| {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
            .and_then(PrometheusBuilder::install_recorder)
            .inspect_err(|error| tracing::warn!(%error, "metrics are off: another recorder is installed"))
            .ok()
    });
}

/// Everything recorded, in the Prometheus text format; empty before [`install`].
pub fn render() -> String {
    handle().map_or_else(String::new, PrometheusHandle::render)
}

/// Folds recent samples into their buckets, so that memory stays bounded while nobody scrapes.
pub fn upkeep() {
    if let Some(handle) = handle() {
        handle.run_upkeep();
    }
}

fn handle() -> Option<&'static PrometheusHandle> {
    RECORDER.get().and_then(Option::as_ref)
}
