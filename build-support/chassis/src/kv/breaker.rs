//! After a failure, a pause in which nobody waits for a store that is away.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long after a failure commands fail at once; then one may try again.
const PAUSE: Duration = Duration::from_millis(250);

/// Closed, or open until a moment.
pub(super) struct Breaker {
    born: Instant,
    /// Milliseconds since `born`; 0 is closed.
    open_until: AtomicU64,
}

impl Breaker {
    pub(super) fn new() -> Breaker {
        Breaker { born: Instant::now(), open_until: AtomicU64::new(0) }
    }

    /// Whether a command may go out. When the pause is over the first to ask may, as a probe, and the
    /// others wait for what becomes of it.
    pub(super) fn admits(&self) -> bool {
        let open_until = self.open_until.load(Ordering::Acquire);
        if open_until == 0 {
            return true;
        }
        let now = self.now();
        now >= open_until
            && self
                .open_until
                .compare_exchange(open_until, now + millis(PAUSE), Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// The store answered.
    pub(super) fn close(&self) {
        if self.open_until.load(Ordering::Relaxed) != 0 && self.open_until.swap(0, Ordering::AcqRel) != 0 {
            tracing::info!("the key-value store answers again");
        }
    }

    /// The store did not answer.
    pub(super) fn open(&self) {
        if self.open_until.swap(self.now() + millis(PAUSE), Ordering::AcqRel) == 0 {
            metrics::counter!("platform_kv_outages_total").increment(1);
            tracing::warn!("the key-value store is away");
        }
    }

    fn now(&self) -> u64 {
        millis(self.born.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_failure_nobody_is_admitted_until_the_pause_is_over_and_then_only_one() {
        let breaker = Breaker::new();
        assert!(breaker.admits());
        breaker.open();
        assert!(!breaker.admits());

        let begun = breaker.born.checked_sub(Duration::from_secs(1)).unwrap();
        let later = Breaker { born: begun, ..breaker };
        assert!(later.admits());
        assert!(!later.admits());
        later.close();
        assert!(later.admits());
    }
}
