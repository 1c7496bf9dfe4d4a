//! Measures what is owed: how much, and for how long the most overdue has waited.

use crate::app::App;
use crate::store::StoreError;

/// Publishes two numbers a queue; there is never more to do at once.
pub(super) async fn run_once(app: App) -> Result<usize, StoreError> {
    let now = app.clock.now();
    let deliveries = app.store.delivery_counts(now).await?;
    metrics::gauge!("platform_delivery_queue_depth").set(depth(deliveries.ready + deliveries.running));
    metrics::gauge!("platform_delivery_oldest_waiting_seconds").set(deliveries.lag.as_secs_f64());
    let compositions = app.store.composition_counts(now).await?;
    metrics::gauge!("platform_composition_queue_depth").set(depth(compositions.ready + compositions.running));
    metrics::gauge!("platform_composition_oldest_waiting_seconds").set(compositions.lag.as_secs_f64());
    Ok(0)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float, and nobody counts jobs beyond 2^52")]
fn depth(jobs: u64) -> f64 {
    jobs as f64
}
