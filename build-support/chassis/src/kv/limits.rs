//! Rate limits by GCRA, the generic cell rate algorithm: one number a bucket, no window edges to burst at.
//!
//! A bucket is a debt in time. Each unit adds `window / limit` to it, it drains by itself at the pace of
//! the clock, and it may never exceed `window`.

use std::time::Duration;

/// What to take from one bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Names the bucket; whose it is and of which limit.
    pub key: String,
    /// Units a window holds, and the largest burst; at least 1.
    pub limit: u32,
    /// How long a full bucket takes to empty; at least 1 ms.
    pub window: Duration,
    /// Units to take. 0 only looks: whether one unit could be taken now.
    pub cost: u32,
}

/// What a bucket answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Take {
    /// Whether the bucket had room.
    pub allowed: bool,
    /// Units left afterwards.
    pub remaining: u32,
    /// How long until the same take has room; zero where it had.
    pub retry_after: Duration,
    /// How long until the bucket is as good as untouched.
    pub reset_after: Duration,
}

/// Whether a take charges the bucket, or only shows what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Look,
    Charge,
}

impl Bucket {
    /// Microseconds of debt one unit makes.
    pub(super) fn unit_micros(&self) -> u64 {
        (self.window_micros() / u64::from(self.limit.max(1))).max(1)
    }

    pub(super) fn window_micros(&self) -> u64 {
        u64::try_from(self.window.as_micros()).unwrap_or(u64::MAX / 4).clamp(1000, u64::MAX / 4)
    }

    /// Microseconds of debt the units to take make.
    pub(super) fn cost_micros(&self) -> u64 {
        self.unit_micros().saturating_mul(u64::from(self.cost))
    }

    /// The verdict on `debt` microseconds of debt, and the debt afterwards. The script of the Redis store
    /// says the same.
    pub(super) fn judge(&self, debt: u64, mode: Mode) -> (Take, u64) {
        let (unit, window) = (self.unit_micros(), self.window_micros());
        let wanted = debt.saturating_add(unit.saturating_mul(u64::from(self.cost.max(1))));
        let allowed = wanted <= window;
        let charged = allowed && mode == Mode::Charge && self.cost > 0;
        let debt = if charged { wanted } else { debt };
        (self.told(allowed, debt, wanted), debt)
    }

    /// A take told by its figures, in microseconds.
    pub(super) fn told(&self, allowed: bool, debt: u64, wanted: u64) -> Take {
        let window = self.window_micros();
        let remaining = window.saturating_sub(debt) / self.unit_micros();
        let wait = if allowed { 0 } else { wanted.saturating_sub(window) };
        Take {
            allowed,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX).min(self.limit),
            retry_after: Duration::from_micros(wait),
            reset_after: Duration::from_micros(debt),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the rhythm of takes, no stretch as long as the window lets more than twice the limit
        /// through, and never more than the limit at one moment.
        #[test]
        fn no_window_lets_more_through_than_a_burst_and_a_refill(
            limit in 1_u32..20,
            window_ms in 1_u64..10_000,
            pauses in prop::collection::vec(0_u64..500_000, 1..200),
        ) {
            let bucket = Bucket { key: String::new(), limit, window: Duration::from_millis(window_ms), cost: 1 };
            let (mut now, mut debt, mut passed) = (0_u64, 0_u64, Vec::new());
            for pause in pauses {
                now += pause;
                debt = debt.saturating_sub(pause);
                let (take, after) = bucket.judge(debt, Mode::Charge);
                debt = after;
                if take.allowed {
                    passed.push(now);
                } else {
                    prop_assert!(take.retry_after > Duration::ZERO);
                    let waited = debt.saturating_sub(u64::try_from(take.retry_after.as_micros()).unwrap());
                    prop_assert!(bucket.judge(waited, Mode::Charge).0.allowed);
                }
            }
            let window = bucket.window_micros();
            for (index, start) in passed.iter().enumerate() {
                let burst = passed[index..].iter().take_while(|time| **time - start < window).count();
                prop_assert!(burst <= 2 * limit as usize);
            }
        }
    }

    #[test]
    fn looking_says_what_a_take_would_do_and_charges_nothing() {
        let bucket = Bucket { key: String::new(), limit: 2, window: Duration::from_secs(2), cost: 1 };
        let (look, debt) = bucket.judge(0, Mode::Look);
        assert_eq!((look.allowed, look.remaining, debt), (true, 2, 0));
        let full = bucket.window_micros();
        let (look, _) = Bucket { cost: 0, ..bucket }.judge(full, Mode::Charge);
        assert_eq!((look.allowed, look.remaining, look.retry_after), (false, 0, Duration::from_secs(1)));
    }
}
