//! Whether an address is worth calling: ejected after consecutive failures, tried again by one call at
//! a time. It counts; who is asked is decided in `channel/addresses.rs`.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row eject an address.
const FAILURES_MAX: u32 = 3;
/// The first ejection; each further one is twice as long, up to the longest.
const EJECTION_FIRST: Duration = Duration::from_secs(1);
const EJECTION_LONGEST: Duration = Duration::from_secs(4);
/// How long one probe keeps the others waiting.
const PROBE: Duration = Duration::from_secs(2);

/// What may be done with an address now.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub(super) enum Admission {
    /// It answers.
    Open,
    /// It did not answer, and it is time to try.
    Probe,
    /// It did not answer; not before this.
    Ejected(Duration),
}

/// The record of one address.
pub(super) struct Health {
    began: Instant,
    failures: AtomicU32,
    /// Milliseconds after `began` at which a probe is due; 0 while the address answers.
    probe_at: AtomicU64,
}

impl Health {
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), failures: AtomicU32::new(0), probe_at: AtomicU64::new(0) }
    }

    pub(super) fn admission(&self) -> Admission {
        match self.probe_at.load(Ordering::Relaxed) {
            0 => Admission::Open,
            due => match due.checked_sub(self.millis()) {
                None | Some(0) => Admission::Probe,
                Some(left) => Admission::Ejected(Duration::from_millis(left)),
            },
        }
    }

    /// Takes the probe that is due; false where another call was first.
    pub(super) fn take_probe(&self) -> bool {
        let due = self.probe_at.load(Ordering::Relaxed);
        let now = self.millis();
        let next = now + millis(PROBE);
        due != 0
            && due <= now
            && self.probe_at.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Whether this answer ended an ejection.
    pub(super) fn succeeded(&self) -> bool {
        // Read before writing: under load the line stays shared between cores.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
        }
        self.probe_at.load(Ordering::Relaxed) != 0 && self.probe_at.swap(0, Ordering::Relaxed) != 0
    }

    /// For how long this failure ejects the address, if it does.
    pub(super) fn failed(&self) -> Option<Duration> {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let beyond = failures.checked_sub(FAILURES_MAX)?;
        let ejection = EJECTION_FIRST.saturating_mul(1 << beyond.min(8)).min(EJECTION_LONGEST);
        self.probe_at.store(self.millis() + millis(ejection), Ordering::Relaxed);
        Some(ejection)
    }

    /// At least 1, so that 0 can stand for "answers".
    fn millis(&self) -> u64 {
        millis(self.began.elapsed()) + 1
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_is_ejected_probed_by_one_and_taken_back() {
        let health = Health::new();
        assert_eq!((health.failed(), health.failed()), (None, None));
        assert_eq!(health.admission(), Admission::Open);
        assert_eq!(health.failed(), Some(EJECTION_FIRST));
        assert_eq!(health.admission(), Admission::Ejected(EJECTION_FIRST));
        assert!(!health.take_probe());

        tokio::time::advance(EJECTION_FIRST).await;
        assert_eq!(health.admission(), Admission::Probe);
        assert!(health.take_probe());
        assert!(!health.take_probe());
        assert_eq!(health.failed(), Some(EJECTION_FIRST * 2));

        tokio::time::advance(EJECTION_FIRST * 2).await;
        assert!(health.take_probe());
        assert!(health.succeeded());
        assert!(!health.succeeded());
        assert_eq!(health.admission(), Admission::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn no_ejection_is_longer_than_the_longest() {
        let health = Health::new();
        let longest = (0..50).filter_map(|_| health.failed()).max();
        assert_eq!(longest, Some(EJECTION_LONGEST));
    }
}
