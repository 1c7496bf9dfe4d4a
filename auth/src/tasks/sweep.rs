//! Forgets what is of no more use: links past their end, refresh tokens of sessions long over, jobs
//! long done.

use std::time::Duration;

use proto::ServiceError;

use crate::app::Auth;

/// How much is forgotten at a time.
const BATCH: u64 = 500;
/// How long what is over is kept, for whoever looks into it.
const KEPT: Duration = Duration::from_hours(24);

/// Forgets a batch of each; answers how much it was.
pub(super) async fn run_once(auth: &Auth) -> Result<usize, ServiceError> {
    let now = auth.clock.now();
    let before = now - KEPT;
    let links = auth.store.purge_links(before, BATCH).await?;
    // A copy of a used token gives itself away for as long as an unused one would be good.
    let tokens = auth.store.purge_refresh_tokens(now - auth.config.session_idle.max(KEPT), BATCH).await?;
    let jobs = auth.store.purge_jobs(before, BATCH).await?;
    Ok(usize::try_from(links + tokens + jobs).unwrap_or(usize::MAX))
}
