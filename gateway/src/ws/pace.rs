//! Bounds how many sign in a second: after a herd has reconnected, auth and notify must go on living.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use proto::{ErrorCode, ServiceError};
use tokio::time::{Instant, sleep_until};

/// Whoever would wait longer is sent away.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// So many turns a second, in the order in which they are asked for.
pub(super) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    pub(super) fn per_second(turns: u32) -> Self {
        Self { gap: Duration::from_secs(1) / turns.max(1), next: Mutex::default() }
    }

    /// Waits for a turn; fails at once where it would be too far off.
    pub(super) async fn turn(&self) -> Result<(), ServiceError> {
        sleep_until(self.book(Instant::now())?).await;
        Ok(())
    }

    fn book(&self, now: Instant) -> Result<Instant, ServiceError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = next.map_or(now, |next| next.max(now));
        if turn - now > WAIT_MAX {
            return Err(ServiceError::new(ErrorCode::Overloaded).retry_after(WAIT_MAX));
        }
        *next = Some(turn + self.gap);
        Ok(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_spread_and_far_ones_are_refused() {
        let (pace, now) = (Pace::per_second(100), Instant::now());
        let turns: Vec<_> = (0..501).map(|_| pace.book(now).unwrap() - now).collect();
        assert_eq!(turns[0], Duration::ZERO);
        assert_eq!(turns[500], WAIT_MAX);
        assert_eq!(pace.book(now).unwrap_err().code(), ErrorCode::Overloaded);
        let later = now + Duration::from_secs(10);
        assert_eq!(pace.book(later).unwrap(), later, "rest is not saved up");
    }
}
