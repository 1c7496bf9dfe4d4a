//! The store in Redis: a small pool that connects for ever in the background, bounds every command, and
//! stops asking for a moment when the server is away.

mod connect;
mod scripts;

use std::path::Path;
use std::time::Duration;

use fred::clients::{Client, Pool};
use fred::error::Error;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::{Expiration, InfoKind, SetOptions};
use futures::future::try_join_all;

use super::breaker::Breaker;
use super::codes::{CodeKeys, IssueCode, IssueOutcome, TryOutcome};
use super::{Bucket, COMMAND_TIMEOUT, KvError, Take};
use scripts::Scripts;

/// A Redis server, cluster or sentinel group.
pub struct Redis {
    pool: Pool,
    clustered: bool,
    breaker: Breaker,
    scripts: Scripts,
}

impl Redis {
    pub(super) async fn connect(url: &str, extra_roots: Option<&Path>) -> Result<Redis, KvError> {
        let (pool, clustered) = connect::pool(url, extra_roots).await?;
        Ok(Redis { pool, clustered, breaker: Breaker::new(), scripts: Scripts::new() })
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<String>, KvError> {
        self.ask("get", |client| async move { client.get(key).await }).await
    }

    pub(super) async fn get_many(&self, keys: &[String]) -> Result<Vec<Option<String>>, KvError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let clustered = self.clustered;
        self.ask("get_many", |client| async move {
            if clustered {
                // Keys of several slots have no command in common; the client pipelines what is asked at once.
                try_join_all(keys.iter().map(|key| client.get(key.as_str()))).await
            } else {
                client.mget(keys.to_vec()).await
            }
        })
        .await
    }

    pub(super) async fn set(&self, key: &str, value: &str, ttl: Duration) -> Result<(), KvError> {
        let ttl = Expiration::PX(scripts::millis(ttl));
        self.ask("set", |client| async move { client.set(key, value, Some(ttl), None, false).await }).await
    }

    pub(super) async fn set_if_absent(&self, key: &str, value: &str, ttl: Duration) -> Result<bool, KvError> {
        let ttl = Expiration::PX(scripts::millis(ttl));
        let set: Option<String> = self
            .ask("set_if_absent", |client| async move {
                client.set(key, value, Some(ttl), Some(SetOptions::NX), false).await
            })
            .await?;
        Ok(set.is_some())
    }

    pub(super) async fn compare_and_set(
        &self,
        key: &str,
        expected: &str,
        value: &str,
        ttl: Duration,
    ) -> Result<bool, KvError> {
        let scripts = &self.scripts;
        self.ask("compare_and_set", |client| async move {
            scripts.compare_and_set(&client, key, (expected, value), ttl).await
        })
        .await
    }

    pub(super) async fn set_if_newer(
        &self,
        key: &str,
        value: &str,
        revision: u64,
        ttl: Duration,
    ) -> Result<bool, KvError> {
        let scripts = &self.scripts;
        self.ask("set_if_newer", |client| async move {
            scripts.set_if_newer(&client, key, (value, revision), ttl).await
        })
        .await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<bool, KvError> {
        let deleted: u32 = self.ask("delete", |client| async move { client.del(key).await }).await?;
        Ok(deleted > 0)
    }

    pub(super) async fn take(&self, buckets: &[Bucket]) -> Result<Vec<Take>, KvError> {
        let scripts = &self.scripts;
        self.ask("take", |client| async move { scripts.take(&client, buckets).await }).await
    }

    pub(super) async fn give_back(&self, buckets: &[Bucket]) -> Result<(), KvError> {
        let scripts = &self.scripts;
        self.ask("give_back", |client| async move { scripts.give_back(&client, buckets).await }).await
    }

    pub(super) async fn issue_code(&self, issue: &IssueCode<'_>) -> Result<IssueOutcome, KvError> {
        let scripts = &self.scripts;
        self.ask("issue_code", |client| async move { scripts.issue_code(&client, issue).await }).await
    }

    pub(super) async fn try_code(
        &self,
        keys: &CodeKeys,
        hash: &str,
        attempts_max: u32,
        lock: Duration,
    ) -> Result<TryOutcome, KvError> {
        let scripts = &self.scripts;
        self.ask("try_code", |client| async move {
            scripts.try_code(&client, keys, (hash, attempts_max), lock).await
        })
        .await
    }

    pub(super) async fn ping(&self) -> Result<(), KvError> {
        let memory: String =
            self.ask("ping", |client| async move { client.info(Some(InfoKind::Memory)).await }).await?;
        let policy = memory
            .lines()
            .find_map(|line| line.strip_prefix("maxmemory_policy:"))
            .unwrap_or("unknown")
            .trim();
        if policy == "noeviction" {
            Ok(())
        } else {
            Err(KvError::misuse("ping", format!("maxmemory-policy is `{policy}`, expected noeviction")))
        }
    }

    /// Runs one operation, whole, within the bound. The client's own timeouts do not cover scripts.
    async fn ask<'a, T, Run>(
        &'a self,
        operation: &'static str,
        run: impl FnOnce(Client) -> Run,
    ) -> Result<T, KvError>
    where
        Run: Future<Output = Result<T, Error>> + 'a,
    {
        if !self.breaker.admits() {
            return Err(KvError::away(operation));
        }
        let client = self.pool.next_connected().clone();
        match tokio::time::timeout(COMMAND_TIMEOUT, run(client)).await {
            Ok(Ok(answer)) => {
                self.breaker.close();
                Ok(answer)
            }
            Ok(Err(error)) => {
                if connect::is_outage(&error) {
                    self.breaker.open();
                } else {
                    self.breaker.close();
                }
                Err(KvError::redis(operation, error))
            }
            Err(_) => {
                self.breaker.open();
                Err(KvError::timeout(operation))
            }
        }
    }
}
