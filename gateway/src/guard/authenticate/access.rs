//! What the published access state says of a remembered answer. Only a state that is whole, not in
//! doubt, and agrees with the answer lets it stand.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use proto::auth::AuthenticateResponse;
use proto::kv::{self, AccessRecord, AccessState, VersionRecord};
use proto::{ErrorCode, ServiceError};

use super::token::Claims;
use super::{Caller, Remembered};
use proto::permission::Grant;

/// How long an answer is remembered.
const REMEMBERED: TimeDelta = TimeDelta::seconds(30);
/// How much life a passport must have left to be sent along: the longest call and a little more.
const PASSPORT_LEFT: TimeDelta = TimeDelta::seconds(10);

/// What the access state says.
pub(super) enum Verdict {
    /// The remembered answer stands.
    Stands(Arc<Caller>),
    /// The token is refused.
    Refused(ErrorCode),
    /// Ask auth.
    Unknown,
}

/// Judges the records that lie at the remembered keys.
pub(super) fn judge(records: &[Option<String>], remembered: &Remembered, token_version: u64) -> Verdict {
    let Some((Some(access), versions)) = records.split_first() else { return Verdict::Unknown };
    if records.len() != remembered.keys.len() {
        return Verdict::Unknown;
    }
    match AccessRecord::parse(access).state {
        AccessState::Ended => return Verdict::Refused(ErrorCode::AuthTokenRevoked),
        AccessState::Active { user_id, roles }
            if user_id == remembered.user_id && roles == remembered.roles => {}
        AccessState::Active { .. } | AccessState::Doubt => return Verdict::Unknown,
    }
    let mut whole = true;
    for version in versions {
        match version.as_deref().map(VersionRecord::parse) {
            Some(VersionRecord::Known(version)) if version > token_version => {
                return Verdict::Refused(ErrorCode::AuthTokenStale);
            }
            Some(VersionRecord::Known(_)) => {}
            Some(VersionRecord::Doubt(_)) | None => whole = false,
        }
    }
    if whole { Verdict::Stands(remembered.caller.clone()) } else { Verdict::Unknown }
}

impl Remembered {
    /// Takes an answer of auth for a token with these claims.
    pub(super) fn read(
        answer: AuthenticateResponse,
        claims: &Claims,
        now: DateTime<Utc>,
    ) -> Result<Self, ServiceError> {
        let id = |text: &str| text.parse::<uuid::Uuid>().map_err(ServiceError::internal);
        let (user_id, session_id) = (id(&answer.user_id)?, id(&answer.session_id)?);
        let tenant_id = id(&answer.tenant_id)?;
        if (user_id, session_id, tenant_id) != (claims.sub, claims.sid, claims.tid) {
            return Err(ServiceError::internal("auth answered for somebody else"));
        }
        let mut roles = answer.roles;
        roles.sort_unstable();
        let mut keys = vec![kv::access_key(session_id), kv::user_version_key(user_id)];
        keys.extend(roles.iter().map(|role| kv::role_version_key(tenant_id, role)));
        let mut passport = HeaderValue::try_from(answer.passport).map_err(ServiceError::internal)?;
        passport.set_sensitive(true);
        let expires = answer.passport_expires_at.map_or(0, |time| time.seconds);
        let expires = DateTime::from_timestamp(expires, 0).unwrap_or_default();
        let caller = Caller {
            user_id: answer.user_id,
            tenant_id: answer.tenant_id,
            tenant_slug: answer.tenant_slug,
            grants: answer.permissions.iter().filter_map(|text| Grant::parse(text)).collect(),
            passport,
        };
        let until = (now + REMEMBERED).min(expires - PASSPORT_LEFT);
        Ok(Self { caller: Arc::new(caller), user_id, roles, keys, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const VERSION: u64 = 7;

    fn remembered() -> Remembered {
        let caller = Caller {
            user_id: Uuid::nil().to_string(),
            tenant_id: Uuid::nil().to_string(),
            tenant_slug: "default".into(),
            grants: Vec::new(),
            passport: HeaderValue::from_static("passport"),
        };
        let keys = vec!["access".into(), "user".into(), "role".into()];
        let user_id = Uuid::nil();
        let until = DateTime::UNIX_EPOCH;
        Remembered { caller: Arc::new(caller), user_id, roles: vec!["USER".into()], keys, until }
    }

    fn verdict(records: &[Option<&str>]) -> &'static str {
        let records: Vec<Option<String>> = records.iter().map(|text| text.map(str::to_owned)).collect();
        match judge(&records, &remembered(), VERSION) {
            Verdict::Stands(_) => "stands",
            Verdict::Refused(code) => code.as_str(),
            Verdict::Unknown => "unknown",
        }
    }

    const ACTIVE: Option<&str> = Some("3 active 00000000-0000-0000-0000-000000000000 USER");

    #[test]
    fn a_whole_state_that_agrees_lets_the_answer_stand() {
        assert_eq!(verdict(&[ACTIVE, Some("7"), Some("5")]), "stands");
    }

    #[test]
    fn an_ended_session_and_moved_rights_are_refused_at_once() {
        assert_eq!(verdict(&[Some("9 ended"), None, None]), "AUTH_TOKEN_REVOKED");
        assert_eq!(verdict(&[ACTIVE, Some("8"), None]), "AUTH_TOKEN_STALE");
        assert_eq!(verdict(&[ACTIVE, None, Some("8")]), "AUTH_TOKEN_STALE");
    }

    #[test]
    fn whatever_is_missing_in_doubt_or_different_is_asked_about() {
        let other_roles = Some("3 active 00000000-0000-0000-0000-000000000000 ADMIN,USER");
        let other_user = Some("3 active 00000000-0000-0000-0000-000000000001 USER");
        for records in [
            [None, Some("7"), Some("5")],
            [Some("3 doubt"), Some("7"), Some("5")],
            [other_roles, Some("7"), Some("5")],
            [other_user, Some("7"), Some("5")],
            [ACTIVE, None, Some("5")],
            [ACTIVE, Some("7 doubt"), Some("5")],
            [ACTIVE, Some("7"), Some("nonsense")],
        ] {
            assert_eq!(verdict(&records), "unknown", "{records:?}");
        }
        assert_eq!(verdict(&[]), "unknown");
        assert_eq!(verdict(&[ACTIVE]), "unknown");
    }

    proptest! {
        #[test]
        fn nonsense_never_stands(records in prop::collection::vec(prop::option::of("\\PC{0,20}"), 0..5)) {
            prop_assert!(!matches!(judge(&records, &remembered(), VERSION), Verdict::Stands(_)));
        }
    }
}
