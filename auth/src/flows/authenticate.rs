//! Judges an access token by the database and answers with a passport; fills what the published
//! access state lacks, so that the edge need not ask again.

use std::time::Duration;

use chrono::{DateTime, Utc};
use mesh::passport;
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use crate::access_state::Place;
use crate::app::Auth;
use crate::domain::access_token::Claims;
use crate::domain::role::{Rights, Role};
use crate::domain::session::Session;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;

/// How long a passport lives.
const PASSPORT_TTL: Duration = Duration::from_mins(1);

/// Who a token belongs to.
#[derive(Debug)]
pub struct Authentication {
    /// The user.
    pub user: User,
    /// The tenant.
    pub tenant: Tenant,
    /// The session.
    pub session_id: Uuid,
    /// What the user may do.
    pub rights: Rights,
    /// Says so to the mesh.
    pub passport: String,
    /// When the passport ends.
    pub passport_expires_at: DateTime<Utc>,
}

/// Judges an access token. Fails with `AUTH_TOKEN_INVALID`, `AUTH_TOKEN_EXPIRED`,
/// `AUTH_TOKEN_REVOKED`, `AUTH_TOKEN_STALE`, `AUTH_ACCOUNT_BANNED`, `AUTH_ACCOUNT_PENDING` or
/// `TENANT_SUSPENDED`.
pub async fn authenticate(auth: &Auth, token: &str) -> Result<Authentication, ServiceError> {
    let now = auth.clock.now();
    let claims = auth.keys.verify_access(token, &auth.config.public_url)?;
    judge_times(&claims, auth.config.token_leeway, now)?;

    // The places are held before the database is read: a change after this takes them.
    let session_place = auth.access.hold_session(claims.sid, auth.ids.uuid(now)).await;
    let user_place = auth.access.hold_user_version(claims.sub, auth.ids.uuid(now)).await;
    let session = auth.store.session_by_id(claims.sid).await?;
    let session = session.filter(|session| session.user_id == claims.sub && session.tenant_id == claims.tid);
    let Some(session) = session else { return Err(ErrorCode::AuthTokenInvalid.into()) };
    if !session.is_live(now) {
        auth.access.fill_ended(session_place, session.revision).await;
        return Err(ErrorCode::AuthTokenRevoked.into());
    }
    let user = auth.store.user_by_id(claims.sub).await?.ok_or(ErrorCode::AuthTokenInvalid)?;
    let tenant = auth.store.tenant_by_id(user.tenant_id).await?.ok_or(ErrorCode::AuthTokenInvalid)?;
    user.may_go_on()?;
    if tenant.suspended {
        return Err(ErrorCode::TenantSuspended.into());
    }
    let rights = publish_roles(auth, &user).await?;
    auth.access.fill_session(session_place, &session, &rights.effective).await;
    auth.access.fill_version(user_place, user.permission_version).await;
    if rights.version > claims.pv {
        return Err(ErrorCode::AuthTokenStale.into());
    }
    answer(auth, &claims, (user, tenant, session), rights, now)
}

/// The user's rights, with the versions of their roles published. Which roles those are is only known
/// from the database, so that it is read again where a place was free.
async fn publish_roles(auth: &Auth, user: &User) -> Result<Rights, ServiceError> {
    let rights = auth.store.rights_of_user(user).await?;
    let mut places: Vec<(&String, Option<Place>)> = Vec::new();
    for role in &rights.effective {
        let nonce = auth.ids.uuid(auth.clock.now());
        places.push((role, auth.access.hold_role_version(user.tenant_id, role, nonce).await));
    }
    if places.iter().all(|(_, place)| place.is_none()) {
        return Ok(rights);
    }
    let roles = auth.store.list_roles(user.tenant_id).await?;
    for (name, place) in places {
        let version = roles.get(name).map_or(0, |role: &Role| role.version);
        auth.access.fill_version(place, version).await;
    }
    Ok(auth.store.rights_of_user(user).await?)
}

fn judge_times(claims: &Claims, leeway: Duration, now: DateTime<Utc>) -> Result<(), ServiceError> {
    let leeway = i64::try_from(leeway.as_secs()).unwrap_or(0);
    if now.timestamp() >= claims.exp.saturating_add(leeway) {
        return Err(ErrorCode::AuthTokenExpired.into());
    }
    if now.timestamp() < claims.nbf.saturating_sub(leeway) {
        return Err(ErrorCode::AuthTokenInvalid.into());
    }
    Ok(())
}

fn answer(
    auth: &Auth,
    claims: &Claims,
    who: (User, Tenant, Session),
    rights: Rights,
    now: DateTime<Utc>,
) -> Result<Authentication, ServiceError> {
    let (user, tenant, session) = who;
    let passport_expires_at = now + PASSPORT_TTL;
    let passport = auth.keys.sign_passport(&passport::Claims {
        iss: auth.config.public_url.clone(),
        aud: passport::AUDIENCE.to_owned(),
        sub: user.id,
        tid: user.tenant_id,
        sid: session.id,
        jti: claims.jti,
        permissions: rights.permissions.clone(),
        iat: now.timestamp(),
        exp: passport_expires_at.timestamp(),
    })?;
    Ok(Authentication { user, tenant, session_id: session.id, rights, passport, passport_expires_at })
}
