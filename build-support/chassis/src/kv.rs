//! The key-value store: what may be lost and is shared by all instances. Limits, one-time codes,
//! published access state.
//!
//! Two implementations stand behind one closed enum and one conformance suite. Every command answers
//! within [`COMMAND_TIMEOUT`] or fails; losing the store may cost a retry, never a right.

mod breaker;
mod codes;
mod config;
mod error;
mod limits;
mod memory;
mod redis;

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

pub use codes::{CodeKeys, IssueCode, IssueOutcome, TryOutcome};
pub use config::KvConfig;
pub use error::KvError;
pub use limits::{Bucket, Take};

use crate::Clock;

/// The longest a command may take.
pub const COMMAND_TIMEOUT: Duration = Duration::from_millis(250);

/// A key-value store; clones share it.
#[derive(Clone)]
pub enum Kv {
    /// Inside this process: lives and dies with it.
    Memory(Arc<memory::Memory>),
    /// A Redis server, cluster or sentinel group, shared by all processes.
    Redis(Arc<redis::Redis>),
}

/// Hands a call to whichever store stands behind.
macro_rules! on_either {
    ($kv:expr, $call:ident($($argument:expr),*)) => {
        match $kv {
            Kv::Memory(store) => store.$call($($argument),*),
            Kv::Redis(store) => store.$call($($argument),*).await,
        }
    };
}

impl Kv {
    /// An empty store inside this process, whose keys expire by `clock`.
    pub fn memory(clock: Clock) -> Kv {
        Kv::Memory(Arc::new(memory::Memory::new(clock)))
    }

    /// A store at `redis://`, `rediss://`, `redis-cluster://` or `redis-sentinel://` (each also with TLS).
    ///
    /// Fails only where the address is malformed: a server that is away is connected to in the background,
    /// for ever, and commands fail until then.
    pub async fn connect(url: &SecretString) -> Result<Kv, KvError> {
        Kv::connect_trusting(url, None).await
    }

    /// The same, also trusting the authorities in the PEM file `extra_roots`.
    pub async fn connect_trusting(url: &SecretString, extra_roots: Option<&Path>) -> Result<Kv, KvError> {
        Ok(Kv::Redis(Arc::new(redis::Redis::connect(url.expose_secret(), extra_roots).await?)))
    }

    /// The value of a key.
    pub async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        match self {
            Kv::Memory(store) => Ok(store.get(key)),
            Kv::Redis(store) => store.get(key).await,
        }
    }

    /// The values of several keys in one round trip, in their order.
    pub async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, KvError> {
        match self {
            Kv::Memory(store) => Ok(store.get_many(keys)),
            Kv::Redis(store) => store.get_many(keys).await,
        }
    }

    /// Sets a key for `ttl` (at least 1 ms).
    pub async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), KvError> {
        on_either!(self, set(key, value, ttl))
    }

    /// Sets a key that is not there yet; whether it was set.
    pub async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, KvError> {
        on_either!(self, set_if_absent(key, value, ttl))
    }

    /// Replaces a key that has exactly the value `expected`; whether it did.
    pub async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<bool, KvError> {
        on_either!(self, compare_and_set(key, expected, value, ttl))
    }

    /// Sets a key unless it holds a revision as new or newer; whether it was set. A value leads with its
    /// revision, a decimal number, alone or before a space; a stored value without one counts as oldest.
    pub async fn set_if_newer(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, KvError> {
        let revision =
            revision(value).ok_or_else(|| KvError::misuse("set_if_newer", "the value has no revision"))?;
        on_either!(self, set_if_newer(key, value, revision, ttl))
    }

    /// Deletes a key; whether it was there. Of several deleters one is told so.
    pub async fn delete(&self, key: &str) -> Result<bool, KvError> {
        match self {
            Kv::Memory(store) => Ok(store.delete(key)),
            Kv::Redis(store) => store.delete(key).await,
        }
    }

    /// Takes from every bucket, or from none where one of them refuses (best effort where several callers
    /// take at once). Takes come in the order of the buckets; time is the store's own.
    pub async fn take(&self, buckets: &[Bucket]) -> Result<Vec<Take>, KvError> {
        on_either!(self, take(buckets))
    }

    /// Gives back what was taken from these buckets: as if it had not been, and never more than empties
    /// them.
    pub async fn give_back(&self, buckets: &[Bucket]) -> Result<(), KvError> {
        on_either!(self, give_back(buckets))
    }

    /// Stores a new one-time code over an older one, unless locked, cooling down or over the quota.
    pub async fn issue_code(&self, issue: IssueCode<'_>) -> Result<IssueOutcome, KvError> {
        on_either!(self, issue_code(&issue))
    }

    /// Tries a one-time code: a match consumes it, a miss is counted, the `attempts_max`-th miss voids it
    /// and locks for `lock`.
    pub async fn try_code(
        &self,
        keys: &CodeKeys,
        hash: &str,
        attempts_max: u32,
        lock: Duration,
    ) -> Result<TryOutcome, KvError> {
        on_either!(self, try_code(keys, hash, attempts_max, lock))
    }

    /// The record of the code in force, without trying it; nothing where none is.
    pub async fn code_in_force(&self, keys: &CodeKeys) -> Result<Option<String>, KvError> {
        // It is stored behind its count of wrong attempts.
        let stored = self.get(&keys.code).await?;
        Ok(stored.and_then(|stored| stored.split_once(' ').map(|(_, record)| record.to_owned())))
    }

    /// Whether the store answers and can be relied on: a Redis that evicts keys under memory pressure
    /// (any policy but `noeviction`) could forget a limit or a lock and fails.
    pub async fn ping(&self) -> Result<(), KvError> {
        match self {
            Kv::Memory(_) => Ok(()),
            Kv::Redis(store) => store.ping().await,
        }
    }
}

/// Says which store, and nothing of what is in it.
impl fmt::Debug for Kv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kv::Memory(_) => "Kv::Memory",
            Kv::Redis(_) => "Kv::Redis",
        })
    }
}

/// The revision a value leads with.
fn revision(value: &str) -> Option<u64> {
    value.split(' ').next()?.parse().ok()
}
