//! Rate limits as the policies declare them, counted in the shared store. Where that is away they are
//! counted in this process, more strictly on public methods, and logs and metrics say so: the limiter
//! degrades, it never disappears.
//!
//! What only failures are charged for is charged before the request is tried and given back unless it
//! failed: many tries at once find no more room than one after the other.

mod limit;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chassis::kv::{Bucket, Take};
use chassis::{Clock, Kv};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use proto::{ErrorCode, ServiceError};

pub use limit::{Limit, Limits, Stage, Subject};

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// How public methods are counted in this process alone: another instance counts beside it.
const LOCAL_DIVISOR: u32 = 2;

/// Counts requests.
pub struct Limiter {
    shared: Kv,
    local: Kv,
    degraded: AtomicBool,
}

/// What the limits said of a request so far. Dropped with a request whose client went away, it leaves
/// everything charged: nobody can tell how that one would have ended.
#[derive(Debug, Default)]
pub struct Tally {
    /// What to give back unless the answer is a failure of the client's.
    on_failure: Vec<Charge>,
    headers: Option<(HeaderValue, HeaderValue)>,
    is_public: bool,
}

/// Buckets, and the store that counts them.
#[derive(Debug)]
struct Charge {
    store: Kv,
    buckets: Vec<Bucket>,
}

impl Tally {
    /// A tally of a request to a method; `is_public` where anybody may call it.
    pub fn new(limits: &Limits) -> Self {
        Self { is_public: limits.is_public, ..Self::default() }
    }

    /// Puts the headers that say how much is left.
    pub fn write(&self, headers: &mut HeaderMap) {
        if let Some((limit, policy)) = &self.headers {
            headers.insert(RATE_LIMIT, limit.clone());
            headers.insert(RATE_LIMIT_POLICY, policy.clone());
        }
    }
}

impl Limiter {
    /// A limiter that counts in `shared`.
    pub fn new(shared: Kv, clock: Clock) -> Self {
        Self { shared, local: Kv::memory(clock), degraded: AtomicBool::new(false) }
    }

    /// Counts a request against the limits of one stage; `RATE_LIMITED` where one of them refuses.
    pub async fn check(
        &self,
        limits: &[Limit],
        subject: &Subject<'_>,
        tally: &mut Tally,
    ) -> Result<(), ServiceError> {
        let counted = limits.iter().filter_map(|limit| Some((limit, limit.bucket(subject)?)));
        let (limits, buckets): (Vec<&Limit>, Vec<Bucket>) = counted.unzip();
        if limits.is_empty() {
            return Ok(());
        }
        let (takes, charge) = self.take(buckets, tally.is_public).await;
        let refused = limits.iter().zip(&takes).filter(|(_, take)| !take.allowed);
        if let Some((limit, take)) = refused.max_by_key(|(_, take)| take.retry_after) {
            metrics::counter!("platform_edge_rate_limited_total", "limit" => limit.name.clone()).increment(1);
            tally.headers = limit.headers(0, take.retry_after);
            return Err(ServiceError::new(ErrorCode::RateLimited).retry_after(take.retry_after));
        }
        let tightest = limits.iter().zip(&takes).filter(|(limit, _)| !limit.failures_only);
        if let Some((limit, take)) = tightest.min_by_key(|(_, take)| take.remaining) {
            tally.headers = limit.headers(take.remaining, take.reset_after);
        }
        let on_failure = limits.iter().zip(charge.buckets).filter(|(limit, _)| limit.failures_only);
        let buckets: Vec<Bucket> = on_failure.map(|(_, bucket)| bucket).collect();
        if !buckets.is_empty() {
            tally.on_failure.push(Charge { store: charge.store, buckets });
        }
        Ok(())
    }

    /// Gives back what only failures are charged for: the request was none, or was not tried at all.
    pub async fn give_back(&self, tally: Tally) {
        for Charge { store, buckets } in tally.on_failure {
            if let Err(error) = store.give_back(&buckets).await {
                // Debts are paid by time alone, too.
                tracing::debug!(%error, "a limit keeps what it was charged for a request that did not fail");
            }
        }
    }

    async fn take(&self, buckets: Vec<Bucket>, is_public: bool) -> (Vec<Take>, Charge) {
        match self.shared.take(&buckets).await {
            Ok(takes) => {
                self.note(false);
                (takes, Charge { store: self.shared.clone(), buckets })
            }
            Err(error) => {
                tracing::debug!(%error, "limits are counted in this process");
                self.note(true);
                self.take_locally(buckets, is_public).await
            }
        }
    }

    async fn take_locally(&self, mut buckets: Vec<Bucket>, is_public: bool) -> (Vec<Take>, Charge) {
        let divisor = if is_public { LOCAL_DIVISOR } else { 1 };
        for bucket in &mut buckets {
            bucket.limit = (bucket.limit / divisor).max(1);
        }
        // A store in this process fails only where it is full: then nothing more is let through.
        let takes = self.local.take(&buckets).await.unwrap_or_else(|_| {
            let full = Take {
                allowed: false,
                remaining: 0,
                retry_after: Duration::from_secs(1),
                reset_after: Duration::from_secs(1),
            };
            vec![full; buckets.len()]
        });
        (takes, Charge { store: self.local.clone(), buckets })
    }

    fn note(&self, degraded: bool) {
        if self.degraded.load(Ordering::Relaxed) == degraded {
            return;
        }
        if self.degraded.swap(degraded, Ordering::Relaxed) != degraded {
            metrics::gauge!("platform_edge_limiter_degraded").set(if degraded { 1.0 } else { 0.0 });
            if degraded {
                tracing::warn!("the shared limits cannot be reached, this process counts by itself");
            } else {
                tracing::info!("limits are shared again");
            }
        }
    }
}

/// Whole seconds, never too early.
pub fn seconds_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The header `Retry-After` of a failure that says when to come back.
pub fn retry_after(headers: &mut HeaderMap, wait: Duration) {
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds_up(wait).max(1)));
}

#[cfg(test)]
mod tests;
