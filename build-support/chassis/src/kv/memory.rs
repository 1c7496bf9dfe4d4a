//! The store inside one process: a bounded map whose entries expire by the clock.

mod entries;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::codes::{CodeKeys, DAY, IssueCode, IssueOutcome, TryOutcome};
use super::limits::Mode;
use super::{Bucket, KvError, Take, revision};
use crate::Clock;
use entries::Entries;

/// A store of this process. Each operation holds the one lock for its whole, short duration, which makes
/// it as atomic as a script is on Redis.
pub struct Memory {
    clock: Clock,
    entries: Mutex<Entries>,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Memory {
        Memory { clock, entries: Mutex::new(Entries::default()) }
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        let (entries, now) = self.open();
        entries.get(key, now).map(str::to_owned)
    }

    pub(super) fn get_many(&self, keys: &[String]) -> Vec<Option<String>> {
        let (entries, now) = self.open();
        keys.iter().map(|key| entries.get(key, now).map(str::to_owned)).collect()
    }

    pub(super) fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), KvError> {
        let (mut entries, now) = self.open();
        entries.set(key, value.to_owned(), now, ttl)
    }

    pub(super) fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, KvError> {
        let (mut entries, now) = self.open();
        set_where(&mut entries, (key, value, ttl), now, |stored| stored.is_none())
    }

    pub(super) fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<bool, KvError> {
        let (mut entries, now) = self.open();
        set_where(&mut entries, (key, value, ttl), now, |stored| stored == Some(expected))
    }

    pub(super) fn set_if_newer(
        &self,
        key: &str,
        value: &str,
        newer: u64,
        ttl: Duration,
    ) -> Result<bool, KvError> {
        let (mut entries, now) = self.open();
        set_where(&mut entries, (key, value, ttl), now, |stored| {
            stored.and_then(revision).is_none_or(|stored| stored < newer)
        })
    }

    pub(super) fn delete(&self, key: &str) -> bool {
        let (mut entries, now) = self.open();
        entries.remove(key, now)
    }

    pub(super) fn take(&self, buckets: &[Bucket]) -> Result<Vec<Take>, KvError> {
        let (mut entries, now) = self.open();
        let looks: Vec<Take> =
            buckets.iter().map(|bucket| bucket.judge(debt(&entries, bucket, now), Mode::Look).0).collect();
        if looks.iter().any(|look| !look.allowed) {
            return Ok(looks);
        }
        buckets
            .iter()
            .map(|bucket| {
                let (take, debt) = bucket.judge(debt(&entries, bucket, now), Mode::Charge);
                if bucket.cost > 0 {
                    set_debt(&mut entries, bucket, debt, now)?;
                }
                Ok(take)
            })
            .collect()
    }

    pub(super) fn give_back(&self, buckets: &[Bucket]) -> Result<(), KvError> {
        let (mut entries, now) = self.open();
        for bucket in buckets {
            match debt(&entries, bucket, now).saturating_sub(bucket.cost_micros()) {
                0 => drop(entries.remove(&bucket.key, now)),
                left => set_debt(&mut entries, bucket, left, now)?,
            }
        }
        Ok(())
    }

    pub(super) fn issue_code(&self, issue: &IssueCode<'_>) -> Result<IssueOutcome, KvError> {
        let (mut entries, now) = self.open();
        let keys = issue.keys;
        if let Some(left) = entries.time_left(&keys.lock, now) {
            return Ok(IssueOutcome::Locked(left));
        }
        if let Some(left) = entries.time_left(&keys.cooldown, now) {
            return Ok(IssueOutcome::CoolingDown(left));
        }
        let issued: u32 = entries.get(&keys.daily, now).and_then(|text| text.parse().ok()).unwrap_or(0);
        let day_left = entries.time_left(&keys.daily, now).unwrap_or(DAY);
        if issued >= issue.daily_max {
            return Ok(IssueOutcome::OverQuota(day_left));
        }
        entries.set(&keys.daily, (issued + 1).to_string(), now, day_left)?;
        entries.set(&keys.code, format!("0 {}", issue.record), now, issue.ttl)?;
        if !issue.cooldown.is_zero() {
            entries.set(&keys.cooldown, "1".to_owned(), now, issue.cooldown)?;
        }
        Ok(IssueOutcome::Issued)
    }

    pub(super) fn try_code(
        &self,
        keys: &CodeKeys,
        hash: &str,
        attempts_max: u32,
        lock: Duration,
    ) -> Result<TryOutcome, KvError> {
        let (mut entries, now) = self.open();
        if let Some(left) = entries.time_left(&keys.lock, now) {
            return Ok(TryOutcome::Locked(left));
        }
        let stored = entries.get(&keys.code, now).map(str::to_owned);
        let Some((attempts, record)) = stored.as_deref().and_then(|text| text.split_once(' ')) else {
            return Ok(TryOutcome::Missing);
        };
        let (expected, rest) = record.split_once(' ').unwrap_or((record, ""));
        if expected == hash {
            entries.remove(&keys.code, now);
            return Ok(TryOutcome::Matched(rest.to_owned()));
        }
        let attempts = attempts.parse::<u32>().unwrap_or(u32::MAX).saturating_add(1);
        if attempts >= attempts_max {
            entries.remove(&keys.code, now);
            entries.set(&keys.lock, "1".to_owned(), now, lock)?;
            return Ok(TryOutcome::Locked(lock));
        }
        let left = entries.time_left(&keys.code, now).unwrap_or_default();
        entries.set(&keys.code, format!("{attempts} {record}"), now, left)?;
        Ok(TryOutcome::Wrong)
    }

    fn open(&self) -> (MutexGuard<'_, Entries>, DateTime<Utc>) {
        // A panic elsewhere cannot leave an entry half written: each is replaced whole.
        (self.entries.lock().unwrap_or_else(PoisonError::into_inner), self.clock.now())
    }
}

/// Sets a key whose present value passes the test.
fn set_where(
    entries: &mut Entries,
    (key, value, ttl): (&str, &str, Duration),
    now: DateTime<Utc>,
    test: impl FnOnce(Option<&str>) -> bool,
) -> Result<bool, KvError> {
    let passes = test(entries.get(key, now));
    if passes {
        entries.set(key, value.to_owned(), now, ttl)?;
    }
    Ok(passes)
}

/// What a bucket owes, in microseconds. It is kept as the moment that is paid, so that it drains by itself.
fn debt(entries: &Entries, bucket: &Bucket, now: DateTime<Utc>) -> u64 {
    let paid_at: Option<i64> = entries.get(&bucket.key, now).and_then(|text| text.parse().ok());
    paid_at.map_or(0, |paid_at| u64::try_from(paid_at - now.timestamp_micros()).unwrap_or(0))
}

fn set_debt(entries: &mut Entries, bucket: &Bucket, debt: u64, now: DateTime<Utc>) -> Result<(), KvError> {
    let paid_at = now.timestamp_micros() + i64::try_from(debt).unwrap_or(i64::MAX / 4);
    entries.set(&bucket.key, paid_at.to_string(), now, Duration::from_micros(debt))
}
