//! What is fixed about a queue: how long its jobs may run, and what becomes of those that fail.

use std::time::Duration;

/// How much longer than the run the lease is: time to write the verdict, and for clocks to disagree.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

const BATCH: u64 = 10;

const MINUTE: Duration = Duration::from_mins(1);

const SCHEDULE: [Duration; 4] =
    [MINUTE, MINUTE.saturating_mul(5), MINUTE.saturating_mul(15), MINUTE.saturating_mul(60)];

/// A queue, as a constant of the program.
#[derive(Debug, Clone, Copy)]
pub struct Queue {
    pub(crate) name: &'static str,
    pub(crate) timeout: Duration,
    pub(crate) lease: Duration,
    pub(crate) schedule: &'static [Duration],
    pub(crate) exhausted: Exhausted,
    pub(crate) batch: u64,
}

/// What happens when a job failed and its schedule has no pause left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// It goes to the dead letters.
    Dead,
    /// It is tried again after the last pause of the schedule, for ever.
    KeepTrying,
}

impl Queue {
    /// A queue whose handler may run for `timeout`. A failed job waits 1 min, 5 min, 15 min and 1 h before
    /// its next runs and then goes to the dead letters; ten jobs are claimed at a time.
    pub const fn new(name: &'static str, timeout: Duration) -> Queue {
        Queue {
            name,
            timeout,
            lease: timeout.saturating_add(LEASE_MARGIN),
            schedule: &SCHEDULE,
            exhausted: Exhausted::Dead,
            batch: BATCH,
        }
    }

    /// How long a claimed job is left to its worker: longer than the handler's timeout, else two would run
    /// it at once.
    ///
    /// # Panics
    ///
    /// Where it is not; a constant queue then does not compile.
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Queue {
        assert!(
            lease.as_millis() > self.timeout.as_millis(),
            "the lease must be longer than the handler's timeout"
        );
        self.lease = lease;
        self
    }

    /// The pauses between runs of a job that fails (each moved by ± 10 %), and what follows the last.
    ///
    /// # Panics
    ///
    /// Where it is to keep trying without a pause; a constant queue then does not compile.
    #[must_use]
    pub const fn schedule(mut self, schedule: &'static [Duration], exhausted: Exhausted) -> Queue {
        assert!(!schedule.is_empty() || matches!(exhausted, Exhausted::Dead), "to keep trying needs a pause");
        self.schedule = schedule;
        self.exhausted = exhausted;
        self
    }

    /// Jobs claimed and run at once by one worker.
    ///
    /// # Panics
    ///
    /// Where that is none; a constant queue then does not compile.
    #[must_use]
    pub const fn batch(mut self, batch: u64) -> Queue {
        assert!(batch > 0, "a worker claims something");
        self.batch = batch;
        self
    }

    /// Its name, as in the table and in metrics.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The pause after the given failed attempt (from 1); `None` where there is no next one.
    pub(crate) fn pause_after(&self, attempt: u32) -> Option<Duration> {
        let index = usize::try_from(attempt).unwrap_or(usize::MAX).saturating_sub(1);
        let last = match self.exhausted {
            Exhausted::Dead => None,
            Exhausted::KeepTrying => self.schedule.last(),
        };
        self.schedule.get(index).or(last).copied()
    }

    /// Whether this attempt is one more than the schedule grants, as of a job whose workers keep dying.
    pub(crate) fn is_overdrawn(&self, attempt: u32) -> bool {
        attempt > 1 && self.pause_after(attempt - 1).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSES: &[Duration] = &[Duration::from_secs(1), Duration::from_secs(2)];
    const SHORT: Queue = Queue::new("short", Duration::from_secs(1)).schedule(PAUSES, Exhausted::Dead);

    #[test]
    fn the_schedule_is_one_run_longer_than_its_pauses() {
        assert_eq!(
            [1, 2, 3].map(|attempt| SHORT.pause_after(attempt)),
            [Some(PAUSES[0]), Some(PAUSES[1]), None]
        );
        assert_eq!([1, 2, 3, 4].map(|attempt| SHORT.is_overdrawn(attempt)), [false, false, false, true]);
    }

    #[test]
    fn a_queue_that_keeps_trying_repeats_the_last_pause() {
        let tireless = SHORT.schedule(PAUSES, Exhausted::KeepTrying);
        assert_eq!(tireless.pause_after(1000), Some(PAUSES[1]));
        assert!(!tireless.is_overdrawn(1000));
    }

    #[test]
    #[should_panic(expected = "longer than the handler's timeout")]
    fn a_lease_as_short_as_the_timeout_is_refused() {
        let _ = SHORT.lease(Duration::from_secs(1));
    }
}
