//! Time as an argument: whoever needs the wall clock is handed one, so that tests can move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};

/// A wall clock: the system's, or one that moves only when told to.
///
/// Clones of a manual clock share its time.
#[derive(Clone, Debug)]
pub struct Clock(Hands);

#[derive(Clone, Debug)]
enum Hands {
    System,
    /// Microseconds since the epoch, the resolution both databases keep.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Clock {
        Clock(Hands::System)
    }

    /// A clock that stands at `start` until [`advance`](Clock::advance) or [`set`](Clock::set) moves it.
    pub fn manual(start: DateTime<Utc>) -> Clock {
        Clock(Hands::Manual(Arc::new(AtomicI64::new(start.timestamp_micros()))))
    }

    /// The time now, in whole microseconds, so that what is stored reads back equal.
    #[expect(clippy::disallowed_methods, reason = "this is the clock everybody else is handed")]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &self.0 {
            Hands::System => Utc::now().timestamp_micros(),
            Hands::Manual(micros) => micros.load(Ordering::SeqCst),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Moves a manual clock forward; the system's clock is left alone.
    pub fn advance(&self, by: Duration) {
        debug_assert!(matches!(self.0, Hands::Manual(_)), "the system clock moves by itself");
        if let Hands::Manual(micros) = &self.0 {
            micros.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Puts a manual clock to `time`, backwards too; the system's clock is left alone.
    pub fn set(&self, time: DateTime<Utc>) {
        debug_assert!(matches!(self.0, Hands::Manual(_)), "the system clock moves by itself");
        if let Hands::Manual(micros) = &self.0 {
            micros.store(time.timestamp_micros(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_told_and_its_clones_move_along() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let other = clock.clone();
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH);

        clock.advance(Duration::from_secs(90));
        assert_eq!(other.now(), DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(90));

        other.set(DateTime::UNIX_EPOCH);
        assert_eq!(clock.now(), DateTime::UNIX_EPOCH);
    }
}
