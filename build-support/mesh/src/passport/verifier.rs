//! Verifies passports and remembers for whom they were good. Judging costs a signature check once per
//! passport; asking for keys is bounded however many passports name an unknown one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use chassis::Clock;
use moka::sync::Cache;
use proto::{ErrorCode, ServiceError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::token::Parts;
use super::{AUDIENCE, Claims, KeySource, LIFE_SECONDS_MAX, VerifyingKey};
use crate::Caller;

/// Between two answers to "which keys are there", however many unknown ones are named.
const REFETCH_MIN: Duration = Duration::from_secs(30);
/// After a failure to fetch; short, so that a service heals soon after auth does.
const RETRY: Duration = Duration::from_secs(1);
/// How old the keys may be, so that one taken out of use is forgotten.
const KEYS_AGE_MAX: Duration = Duration::from_mins(5);
/// How long fetching may take.
const FETCH_TIMEOUT: Duration = Duration::from_secs(2);
/// How many verified passports are remembered; each is at most 4 KiB of claims.
const REMEMBERED_MAX: u64 = 20_000;

/// Verifies passports. Clones share keys and memory.
#[derive(Clone)]
pub struct Verifier {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    source: KeySource,
    keys: ArcSwap<Keys>,
    /// When the next fetch may begin; holding the lock is what makes it single.
    next_fetch: Mutex<Option<Instant>>,
    verified: Cache<[u8; 32], Verified>,
}

#[derive(Default)]
struct Keys {
    by_kid: HashMap<String, VerifyingKey>,
    fetched: Option<Instant>,
}

#[derive(Clone)]
struct Verified {
    caller: Caller,
    exp: i64,
}

impl Verifier {
    /// A verifier that takes its keys from `source`, when it first needs them.
    pub fn new(source: KeySource, clock: Clock) -> Self {
        let life = Duration::from_secs(LIFE_SECONDS_MAX.unsigned_abs());
        let verified = Cache::builder().max_capacity(REMEMBERED_MAX).time_to_live(life).build();
        let shared =
            Shared { clock, source, keys: ArcSwap::default(), next_fetch: Mutex::new(None), verified };
        Self { shared: Arc::new(shared) }
    }

    /// Whom a passport names. `UNAUTHENTICATED` for anything but a genuine passport of this mesh that has
    /// not ended, `SERVICE_UNAVAILABLE` where the keys cannot be had.
    pub async fn verify(&self, passport: &str) -> Result<Caller, ServiceError> {
        let hash = sha256(passport);
        let now = self.shared.clock.now().timestamp();
        if let Some(known) = self.shared.verified.get(&hash) {
            return if now < known.exp { Ok(known.caller) } else { Err(refused("it has ended")) };
        }
        let claims = self.judge(passport, now).await?;
        let exp = claims.exp;
        let caller = Caller::from(claims);
        self.shared.verified.insert(hash, Verified { caller: caller.clone(), exp });
        Ok(caller)
    }

    async fn judge(&self, passport: &str, now: i64) -> Result<Claims, ServiceError> {
        let parts = Parts::split(passport).map_err(refused)?;
        let key = self.key(&parts.kid).await?.ok_or_else(|| refused("an unknown key"))?;
        if !key.verifies(parts.signed, &parts.signature) {
            return Err(refused("the signature does not fit"));
        }
        let claims = parts.claims().map_err(refused)?;
        if claims.aud != AUDIENCE {
            return Err(refused("another audience"));
        }
        if now >= claims.exp {
            return Err(refused("it has ended"));
        }
        // Skew between clocks is no ground to refuse, a life beyond what any passport has is.
        if claims.exp.checked_sub(claims.iat).is_none_or(|life| life > LIFE_SECONDS_MAX) {
            return Err(refused("it lives too long"));
        }
        Ok(claims)
    }

    async fn key(&self, kid: &str) -> Result<Option<VerifyingKey>, ServiceError> {
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let mut next_fetch = self.shared.next_fetch.lock().await;
        // Whoever waited here may find that the fetch before it brought the key.
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let due = next_fetch.is_none_or(|next| Instant::now() >= next);
        let failure = if due { self.fetch(&mut next_fetch).await.err() } else { None };
        let keys = self.shared.keys.load();
        // Keys past their age still verify while no newer ones can be had: auth may be away for a while.
        match (keys.by_kid.get(kid), failure) {
            (Some(key), _) => Ok(Some(key.clone())),
            (None, Some(failure)) => Err(failure),
            (None, None) if keys.fetched.is_none() => Err(ServiceError::unavailable("no passport keys yet")),
            (None, None) => Ok(None),
        }
    }

    fn known(&self, kid: &str) -> Option<VerifyingKey> {
        let keys = self.shared.keys.load();
        let fresh = keys.fetched.is_some_and(|at| at.elapsed() < KEYS_AGE_MAX);
        keys.by_kid.get(kid).filter(|_| fresh).cloned()
    }

    async fn fetch(&self, next_fetch: &mut Option<Instant>) -> Result<(), ServiceError> {
        let fetched = match tokio::time::timeout(FETCH_TIMEOUT, self.shared.source.keys()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(ServiceError::unavailable("fetching the passports' keys took too long")),
        };
        let now = Instant::now();
        *next_fetch = Some(now + if fetched.is_ok() { REFETCH_MIN } else { RETRY });
        let by_kid = fetched?.into_iter().map(|key| (key.kid.clone(), key)).collect();
        self.shared.keys.store(Arc::new(Keys { by_kid, fetched: Some(now) }));
        Ok(())
    }
}

fn sha256(passport: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, passport.as_bytes()).as_ref());
    hash
}

fn refused(reason: &'static str) -> ServiceError {
    ServiceError::new(ErrorCode::Unauthenticated).source(format!("the passport is refused: {reason}"))
}
