//! Who calls: the token is verified with auth's keys, then the published access state says whether it
//! still stands, and where that is silent or in doubt auth is asked. Where neither can tell, nobody is
//! let in.

mod access;
mod ask;
mod bearer;
mod keys;
mod token;

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use aws_lc_rs::digest;
use chassis::{Clock, Kv};
use chrono::{DateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderValue};
use moka::sync::Cache;
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use super::facts::Facts;
use super::tenant;
use access::Verdict;
use ask::{AccessClient, Question};
use proto::permission::Grant;
use token::Claims;

pub use keys::KeyRing;

/// A person who proved to be one, and what auth says of them.
#[derive(Debug)]
pub struct Caller {
    /// The user.
    pub user_id: String,
    /// The tenant.
    pub tenant_id: String,
    /// The tenant's short name.
    pub tenant_slug: String,
    /// What the caller may do.
    pub grants: Vec<Grant>,
    /// Says all this inside the mesh.
    pub passport: HeaderValue,
}

/// A caller and the session they are in.
#[derive(Clone, Debug)]
pub struct Admission {
    /// Who it is.
    pub caller: Arc<Caller>,
    /// The same as an id.
    pub user_id: Uuid,
    /// The session.
    pub session_id: Uuid,
    /// When the token expires; clocks that differ are not allowed for.
    pub expires_at: DateTime<Utc>,
}

/// What tokens must say, and for how many of them the work is remembered.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The `iss` of our tokens.
    pub issuer: String,
    /// How far two clocks may be apart.
    pub leeway: TimeDelta,
    /// How many tokens are remembered.
    pub remembered_max: u64,
}

/// Finds out who calls.
pub struct Authenticator {
    settings: Settings,
    keys: Arc<KeyRing>,
    auth: AccessClient,
    kv: Kv,
    clock: Clock,
    known: Cache<[u8; 32], Arc<Known>>,
}

/// What is remembered of a token whose signature was verified.
struct Known {
    claims: Claims,
    /// The key set it was verified with: once that has changed, it is verified again.
    keys_version: u64,
    answer: ArcSwapOption<Remembered>,
    question: Question,
}

/// What auth answered, good for as long as the access state agrees.
struct Remembered {
    caller: Arc<Caller>,
    user_id: Uuid,
    roles: Vec<String>,
    /// Where the access state lies: the session's record, then the user's version, then the roles'.
    keys: Vec<String>,
    until: DateTime<Utc>,
}

impl Authenticator {
    /// An authenticator that asks auth through `channel`.
    pub fn new(settings: Settings, keys: Arc<KeyRing>, channel: mesh::Channel, kv: Kv, clock: Clock) -> Self {
        let known = Cache::new(settings.remembered_max);
        Self { settings, keys, auth: AccessClient::new(channel), kv, clock, known }
    }

    /// The caller that the head of a request proves to come from.
    pub async fn authenticate(
        &self,
        headers: &HeaderMap,
        facts: &Facts,
    ) -> Result<Arc<Caller>, ServiceError> {
        self.admit(bearer::token(headers)?, facts).await.map(|admission| admission.caller)
    }

    /// The caller that a token stands for, its session, and for how long it does.
    pub async fn admit(&self, token: &str, facts: &Facts) -> Result<Admission, ServiceError> {
        let known = self.verify(token).await?;
        let caller = match self.published(&known).await {
            Verdict::Stands(caller) => caller,
            Verdict::Refused(code) => return Err(code.into()),
            Verdict::Unknown => self.ask(token, &known, facts).await?,
        };
        tenant::check(facts.tenant.as_ref(), &caller)?;
        let Claims { sub: user_id, sid: session_id, .. } = known.claims;
        Ok(Admission { caller, user_id, session_id, expires_at: known.claims.expires_at() })
    }

    /// The token's claims, believed because of its signature, and good at this moment.
    async fn verify(&self, token: &str) -> Result<Arc<Known>, ServiceError> {
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
        let known = match self.known.get(&fingerprint) {
            Some(known) if known.keys_version == self.keys.version() => known,
            _ => {
                let (claims, keys_version) = token::verify(token, &self.keys).await?;
                claims.check_purpose(&self.settings.issuer)?;
                let known = Arc::new(Known {
                    claims,
                    keys_version,
                    answer: ArcSwapOption::empty(),
                    question: Question::default(),
                });
                // Of many first requests at once one is remembered, or each would ask by itself.
                let is_older = |other: &Arc<Known>| other.keys_version < keys_version;
                self.known.entry(fingerprint).or_insert_with_if(|| known, is_older).into_value()
            }
        };
        known.claims.check_time(self.clock.now(), self.settings.leeway)?;
        Ok(known)
    }

    /// What the published access state says, beside what auth once answered.
    async fn published(&self, known: &Known) -> Verdict {
        let now = self.clock.now();
        let Some(remembered) = known.answer.load_full().filter(|answer| now < answer.until) else {
            return Verdict::Unknown;
        };
        match self.kv.get_many(&remembered.keys).await {
            Ok(records) => access::judge(&records, &remembered, known.claims.pv),
            Err(error) => {
                tracing::debug!(%error, "the access state cannot be read, auth is asked");
                Verdict::Unknown
            }
        }
    }

    async fn ask(&self, token: &str, known: &Known, facts: &Facts) -> Result<Arc<Caller>, ServiceError> {
        let ask = async || {
            metrics::counter!("platform_edge_access_asked_total").increment(1);
            let answer = self.auth.authenticate(token, facts).await;
            let answer = answer.and_then(|answer| Remembered::read(answer, &known.claims, self.clock.now()));
            match answer {
                Ok(remembered) => {
                    let caller = remembered.caller.clone();
                    known.answer.store(Some(Arc::new(remembered)));
                    Ok(caller)
                }
                Err(error) => {
                    known.answer.store(None);
                    Err(error)
                }
            }
        };
        known.question.ask(ask).await
    }
}

/// The refusal of a token that is not one of ours.
fn invalid(reason: &'static str) -> ServiceError {
    ServiceError::new(ErrorCode::AuthTokenInvalid).source(reason)
}
