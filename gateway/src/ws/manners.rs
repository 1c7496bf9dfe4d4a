//! How much a client may send, and how much of it may be nonsense.

use std::time::Duration;

use tokio::time::Instant;

/// So many frames a client may send at once …
const BURST: u32 = 100;
/// … and one more for each of these.
const GAP: Duration = Duration::from_millis(50);
/// So many bad ones it may send in all.
const BAD_MAX: u32 = 20;

/// What one client has sent.
pub(super) struct Manners {
    /// The moment at which all that was sent is paid for.
    paid_at: Instant,
    bad: u32,
}

impl Manners {
    pub(super) fn new(now: Instant) -> Self {
        Self { paid_at: now, bad: 0 }
    }

    /// Counts a frame; whether it is one too many.
    pub(super) fn is_flood(&mut self, now: Instant) -> bool {
        self.paid_at = self.paid_at.max(now) + GAP;
        self.paid_at - now > GAP * BURST
    }

    /// Counts a bad frame; whether it is one too many.
    pub(super) fn is_hopeless(&mut self) -> bool {
        self.bad += 1;
        self.bad > BAD_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_fine_and_a_flood_is_not() {
        let now = Instant::now();
        let mut manners = Manners::new(now);
        assert!((0..BURST).all(|_| !manners.is_flood(now)));
        assert!(manners.is_flood(now));
        assert!(!manners.is_flood(now + GAP * 2));
    }
}
