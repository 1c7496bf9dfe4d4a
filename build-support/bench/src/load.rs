//! Load: callers who each wait for an answer before they call again, for a time that has a warm-up and an
//! end. What they call is theirs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use crate::Failure;
use crate::cpu::{Reading, Spent};

/// Nobody waits longer than this for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// One who calls, again and again.
pub trait Caller: Send + 'static {
    /// Calls once; any answer but the expected one is a failure, which ends the run.
    fn call(&mut self) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// How long is called, and how often at most.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Before anything counts.
    pub warm_up: Duration,
    /// While everything counts.
    pub measured: Duration,
    /// Calls in all; reached early, it ends the span.
    pub calls_max: u32,
}

impl Span {
    /// For figures.
    pub const FULL: Self =
        Self { warm_up: Duration::from_secs(2), measured: Duration::from_secs(8), calls_max: 4_000_000 };
    /// To see that everything runs.
    pub const QUICK: Self = Self {
        warm_up: Duration::from_millis(300),
        measured: Duration::from_millis(1_200),
        calls_max: 100_000,
    };
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Measured {
    /// How many callers there were: that many calls were under way at any time.
    pub in_flight: usize,
    /// The calls that were answered.
    pub calls: u32,
    /// Where the CPU time went meanwhile.
    pub spent: Spent,
    /// How long each call took, the shortest first.
    took: Vec<Duration>,
}

impl Measured {
    /// Of calls that were timed elsewhere.
    pub fn of(in_flight: usize, spent: Spent, mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        Self { in_flight, calls: u32::try_from(took.len()).unwrap_or(u32::MAX), spent, took }
    }

    /// Calls a second.
    pub fn rate(&self) -> f64 {
        f64::from(self.calls) / self.spent.elapsed.as_secs_f64()
    }

    /// The time within which this many of a hundred calls were answered.
    pub fn percentile(&self, percent: usize) -> Duration {
        let rank = (self.took.len() * percent).div_ceil(100).saturating_sub(1);
        self.took.get(rank).copied().unwrap_or_default()
    }

    /// The CPU time of a program for one call, in µs.
    pub fn micros(&self, program: &str) -> Option<f64> {
        self.spent.by(program).map(|spent| self.micros_a_call(spent))
    }

    /// The CPU time of everything that was started for one call, and of the load, in µs.
    pub fn micros_in_all(&self) -> f64 {
        self.micros_a_call(self.spent.by_all())
    }

    fn micros_a_call(&self, spent: Duration) -> f64 {
        spent.as_secs_f64() * 1e6 / f64::from(self.calls.max(1))
    }
}

/// When calls are made and counted.
struct Schedule {
    counted_from: Instant,
    end: Instant,
    calls_left: AtomicU32,
}

/// Lets all callers call for a span.
pub async fn drive<C: Caller>(callers: Vec<C>, span: Span) -> Result<Measured, Failure> {
    let in_flight = callers.len();
    let counted_from = Instant::now() + span.warm_up;
    let end = counted_from + span.measured;
    let schedule = Arc::new(Schedule { counted_from, end, calls_left: AtomicU32::new(span.calls_max) });
    let mut calling = JoinSet::new();
    for caller in callers {
        calling.spawn(keep_calling(caller, schedule.clone()));
    }

    time::sleep_until(counted_from).await;
    let before = Reading::take()?;
    let mut took = Vec::new();
    let finished = time::timeout_at(end, collect(&mut calling, &mut took)).await;
    let after = Reading::take()?;
    match finished {
        Ok(finished) => finished?,
        Err(_) => collect(&mut calling, &mut took).await?,
    }
    Ok(Measured::of(in_flight, after.since(&before), took))
}

async fn collect(
    calling: &mut JoinSet<Result<Vec<Duration>, Failure>>,
    took: &mut Vec<Duration>,
) -> Result<(), Failure> {
    while let Some(caller) = calling.join_next().await {
        took.extend(caller??);
    }
    Ok(())
}

/// The times of the calls that were answered while it counted.
async fn keep_calling(mut caller: impl Caller, schedule: Arc<Schedule>) -> Result<Vec<Duration>, Failure> {
    let mut took = Vec::new();
    let mut now = Instant::now();
    while now < schedule.end && schedule.takes_another() {
        time::timeout(PATIENCE, caller.call()).await.map_err(|_| "no answer in time")??;
        let answered = Instant::now();
        if (schedule.counted_from..schedule.end).contains(&answered) {
            took.push(answered - now);
        }
        now = answered;
    }
    Ok(took)
}

impl Schedule {
    fn takes_another(&self) -> bool {
        self.calls_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counts(Arc<AtomicU32>);

    impl Caller for Counts {
        async fn call(&mut self) -> Result<(), Failure> {
            self.0.fetch_add(1, Ordering::Relaxed);
            time::sleep(Duration::from_millis(1)).await;
            Ok(())
        }
    }

    #[tokio::test]
    async fn no_more_calls_are_made_than_were_asked_for() {
        let calls = Arc::new(AtomicU32::new(0));
        let callers = (0..4).map(|_| Counts(calls.clone())).collect();
        let span = Span { warm_up: Duration::ZERO, measured: Duration::from_mins(1), calls_max: 50 };
        let measured = drive(callers, span).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), 50);
        assert!(measured.spent.elapsed < span.measured);
    }

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let spent = || {
            let reading = Reading::take().unwrap();
            reading.since(&reading)
        };
        let took = (1..=200).rev().map(Duration::from_millis).collect();
        let measured = Measured::of(1, spent(), took);
        assert_eq!(measured.percentile(50), Duration::from_millis(100));
        assert_eq!(measured.percentile(99), Duration::from_millis(198));
        assert_eq!(Measured::of(1, spent(), Vec::new()).percentile(99), Duration::ZERO);
    }
}
