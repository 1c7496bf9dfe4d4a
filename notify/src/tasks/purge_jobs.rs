//! Forgets the jobs of deliveries that ended; what came of them stands with the deliveries.

use crate::app::App;
use crate::store::StoreError;

/// Forgets some; how many.
pub(super) async fn run_once(app: App) -> Result<usize, StoreError> {
    let purged = app.store.purge_ended_jobs(app.clock.now()).await?;
    Ok(usize::try_from(purged).unwrap_or(usize::MAX))
}
