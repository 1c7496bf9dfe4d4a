//! The one way to wait: for something to be so, and never longer than it may take.

use std::time::Duration;

const GLANCE: Duration = Duration::from_millis(50);

/// Looks until `look` finds what it looks for; not finding it `within` this long fails the test.
pub(crate) async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let mut glance = tokio::time::interval(GLANCE);
    glance.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let found = async {
        loop {
            glance.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(within, found).await;
    found.unwrap_or_else(|_| panic!("not within {within:?}: {what}"))
}
