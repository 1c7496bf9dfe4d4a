//! Entries that expire, and the bound on how many there are.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::kv::KvError;

/// More entries than this are refused, as a Redis that does not evict refuses them.
const ENTRIES_MAX: usize = 1_000_000;

/// Below this, sweeping is not worth it.
const SWEEP_MIN: usize = 1024;

/// A map that is swept each time it has doubled since the last sweep, so that a sweep costs a write no
/// more than a constant.
#[derive(Default)]
pub(super) struct Entries {
    map: HashMap<String, Entry>,
    kept_by_last_sweep: usize,
}

struct Entry {
    value: String,
    expires: DateTime<Utc>,
}

impl Entries {
    pub(super) fn get(&self, key: &str, now: DateTime<Utc>) -> Option<&str> {
        self.map.get(key).filter(|entry| entry.expires > now).map(|entry| entry.value.as_str())
    }

    pub(super) fn time_left(&self, key: &str, now: DateTime<Utc>) -> Option<Duration> {
        (self.map.get(key)?.expires - now).to_std().ok().filter(|left| !left.is_zero())
    }

    pub(super) fn set(
        &mut self,
        key: &str,
        value: String,
        now: DateTime<Utc>,
        ttl: Duration,
    ) -> Result<(), KvError> {
        let ttl = TimeDelta::from_std(ttl.max(Duration::from_millis(1))).unwrap_or(TimeDelta::MAX);
        let expires = now.checked_add_signed(ttl).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let entry = Entry { value, expires };
        if let Some(stored) = self.map.get_mut(key) {
            *stored = entry;
            return Ok(());
        }
        self.sweep_when_due(now);
        if self.map.len() >= ENTRIES_MAX {
            return Err(KvError::full("set"));
        }
        self.map.insert(key.to_owned(), entry);
        Ok(())
    }

    pub(super) fn remove(&mut self, key: &str, now: DateTime<Utc>) -> bool {
        self.map.remove(key).is_some_and(|entry| entry.expires > now)
    }

    fn sweep_when_due(&mut self, now: DateTime<Utc>) {
        let due = (2 * self.kept_by_last_sweep).clamp(SWEEP_MIN, ENTRIES_MAX);
        if self.map.len() >= due {
            self.map.retain(|_, entry| entry.expires > now);
            self.kept_by_last_sweep = self.map.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expired_entries_are_swept_before_the_map_doubles() {
        let mut entries = Entries::default();
        let mut now = DateTime::UNIX_EPOCH;
        for round in 0..100_000 {
            entries.set(&round.to_string(), String::new(), now, Duration::from_millis(500)).unwrap();
            now += TimeDelta::milliseconds(1);
        }
        assert!(entries.map.len() <= 2 * SWEEP_MIN, "{}", entries.map.len());
    }
}
