//! The operations that must be atomic, as Lua scripts, and the reading of what they answer. Each touches
//! keys of one slot only.

use std::time::Duration;

use fred::clients::Client;
use fred::error::{Error, ErrorKind};
use fred::types::scripts::Script;
use futures::future::try_join_all;

use crate::kv::codes::{CodeKeys, DAY, IssueCode, IssueOutcome, TryOutcome};
use crate::kv::limits::Mode;
use crate::kv::{Bucket, Take};

/// The scripts, known to the server by their hash and loaded again whenever it has forgotten them.
pub(super) struct Scripts {
    compare_and_set: Script,
    set_if_newer: Script,
    take: Script,
    give_back: Script,
    issue_code: Script,
    try_code: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            compare_and_set: Script::from_lua(include_str!("../lua/compare_and_set.lua")),
            set_if_newer: Script::from_lua(include_str!("../lua/set_if_newer.lua")),
            take: Script::from_lua(include_str!("../lua/take.lua")),
            give_back: Script::from_lua(include_str!("../lua/give_back.lua")),
            issue_code: Script::from_lua(include_str!("../lua/issue_code.lua")),
            try_code: Script::from_lua(include_str!("../lua/try_code.lua")),
        }
    }

    pub(super) async fn compare_and_set(
        &self,
        client: &Client,
        key: &str,
        (expected, value): (&str, &str),
        ttl: Duration,
    ) -> Result<bool, Error> {
        let arguments = vec![expected.to_owned(), value.to_owned(), millis(ttl).to_string()];
        self.compare_and_set.evalsha_with_reload(client, key, arguments).await
    }

    pub(super) async fn set_if_newer(
        &self,
        client: &Client,
        key: &str,
        (value, revision): (&str, u64),
        ttl: Duration,
    ) -> Result<bool, Error> {
        let arguments = vec![revision.to_string(), value.to_owned(), millis(ttl).to_string()];
        self.set_if_newer.evalsha_with_reload(client, key, arguments).await
    }

    /// Looks at all buckets before it charges any; they may lie in several slots. Where another taker came
    /// in between and one refuses after all, the others are given back.
    pub(super) async fn take(&self, client: &Client, buckets: &[Bucket]) -> Result<Vec<Take>, Error> {
        if let [bucket] = buckets {
            return Ok(vec![self.take_one(client, bucket, Mode::Charge).await?]);
        }
        let looks =
            try_join_all(buckets.iter().map(|bucket| self.take_one(client, bucket, Mode::Look))).await?;
        if looks.iter().any(|look| !look.allowed) {
            return Ok(looks);
        }
        let takes =
            try_join_all(buckets.iter().map(|bucket| self.take_one(client, bucket, Mode::Charge))).await?;
        if takes.iter().any(|take| !take.allowed) {
            let charged = buckets.iter().zip(&takes).filter(|(_, take)| take.allowed);
            let charged: Vec<Bucket> = charged.map(|(bucket, _)| bucket.clone()).collect();
            self.give_back(client, &charged).await?;
        }
        Ok(takes)
    }

    pub(super) async fn give_back(&self, client: &Client, buckets: &[Bucket]) -> Result<(), Error> {
        let given = buckets.iter().map(|bucket| {
            let arguments = vec![bucket.cost_micros().to_string()];
            self.give_back.evalsha_with_reload::<u32, _, _>(client, bucket.key.as_str(), arguments)
        });
        try_join_all(given).await.map(drop)
    }

    async fn take_one(&self, client: &Client, bucket: &Bucket, mode: Mode) -> Result<Take, Error> {
        let charged = if mode == Mode::Charge { bucket.cost } else { 0 };
        let wanted = u64::from(bucket.cost.max(1)).saturating_mul(bucket.unit_micros());
        let arguments =
            vec![wanted.to_string(), bucket.window_micros().to_string(), u32::from(charged > 0).to_string()];
        let answer = self.take.evalsha_with_reload(client, bucket.key.as_str(), arguments).await?;
        let (allowed, debt, wanted): (bool, u64, u64) = answer;
        Ok(bucket.told(allowed, debt, wanted))
    }

    pub(super) async fn issue_code(
        &self,
        client: &Client,
        issue: &IssueCode<'_>,
    ) -> Result<IssueOutcome, Error> {
        let CodeKeys { code, lock, cooldown, daily, .. } = issue.keys.clone();
        let arguments = vec![
            issue.record.to_owned(),
            millis(issue.ttl).to_string(),
            issue.cooldown.as_millis().to_string(),
            issue.daily_max.to_string(),
            millis(DAY).to_string(),
        ];
        let answer =
            self.issue_code.evalsha_with_reload(client, vec![code, lock, cooldown, daily], arguments).await?;
        let (outcome, wait): (String, u64) = answer;
        let wait = Duration::from_millis(wait);
        match outcome.as_str() {
            "issued" => Ok(IssueOutcome::Issued),
            "cooling" => Ok(IssueOutcome::CoolingDown(wait)),
            "locked" => Ok(IssueOutcome::Locked(wait)),
            "quota" => Ok(IssueOutcome::OverQuota(wait)),
            _ => Err(unexpected()),
        }
    }

    pub(super) async fn try_code(
        &self,
        client: &Client,
        keys: &CodeKeys,
        (hash, attempts_max): (&str, u32),
        lock: Duration,
    ) -> Result<TryOutcome, Error> {
        let arguments = vec![hash.to_owned(), attempts_max.to_string(), millis(lock).to_string()];
        let keys = vec![keys.code.clone(), keys.lock.clone()];
        let (outcome, rest): (String, String) =
            self.try_code.evalsha_with_reload(client, keys, arguments).await?;
        match outcome.as_str() {
            "matched" => Ok(TryOutcome::Matched(rest)),
            "wrong" => Ok(TryOutcome::Wrong),
            "locked" => rest
                .parse()
                .map(|wait| TryOutcome::Locked(Duration::from_millis(wait)))
                .map_err(|_| unexpected()),
            "missing" => Ok(TryOutcome::Missing),
            _ => Err(unexpected()),
        }
    }
}

/// A time to live as Redis takes it.
pub(super) fn millis(ttl: Duration) -> i64 {
    i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 4).max(1)
}

fn unexpected() -> Error {
    Error::new(ErrorKind::Parse, "the script gave an answer of another version")
}
