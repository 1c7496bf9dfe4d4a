//! Forgets the keys of sendings that are a day old.

use crate::app::App;
use crate::store::StoreError;

/// Forgets some; how many.
pub(super) async fn run_once(app: App) -> Result<usize, StoreError> {
    let purged = app.store.purge_send_keys(app.clock.now()).await?;
    Ok(usize::try_from(purged).unwrap_or(usize::MAX))
}
