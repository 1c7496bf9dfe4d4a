//! Begins a session: a step of every flow that signs somebody in.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::ServiceError;

use crate::app::Auth;
use crate::domain::access_token::{AUDIENCE, Claims};
use crate::domain::origin::Origin;
use crate::domain::refresh_token::{Generation, RefreshToken};
use crate::domain::role::Rights;
use crate::domain::session::{AuthMethod, Session, Status};
use crate::domain::user::User;
use crate::store::Tx;

/// What a signed-in client holds.
pub struct Tokens {
    /// Opens methods; a JWT.
    pub access_token: String,
    /// Changes once into the next pair.
    pub refresh_token: String,
    /// For how long the access token opens methods.
    pub expires_in: Duration,
    /// Who is signed in.
    pub user: User,
    /// What they may do.
    pub rights: Rights,
}

/// How a session is begun.
pub(super) struct Start {
    pub(super) auth_method: AuthMethod,
    pub(super) device_type: String,
    pub(super) login_context: Option<serde_json::Value>,
    pub(super) origin: Origin,
}

/// A session that begins with the commit.
pub(super) struct NewSession {
    pub(super) session: Session,
    refresh: RefreshToken,
    generation: Generation,
}

impl NewSession {
    pub(super) fn new(auth: &Auth, user: &User, start: Start, now: DateTime<Utc>) -> Self {
        let session = Session {
            id: auth.ids.uuid(now),
            tenant_id: user.tenant_id,
            user_id: user.id,
            status: Status::Active,
            auth_method: start.auth_method,
            ip_address: start.origin.ip_address,
            user_agent: start.origin.user_agent,
            device_type: start.device_type,
            location: None,
            login_context: start.login_context,
            revision: 1,
            created_at: now,
            last_used_at: now,
            expires_at: auth.lifetimes().end(now, now),
        };
        let refresh = RefreshToken::first(&auth.ids);
        let generation = Generation {
            selector: refresh.selector.clone(),
            session_id: session.id,
            verifier_hash: refresh.verifier_hash(),
            number: 0,
            jti: auth.ids.uuid(now),
            access_expires_at: (now + auth.config.access_token_ttl).min(session.expires_at),
            used_at: None,
        };
        Self { session, refresh, generation }
    }

    pub(super) async fn write(&self, tx: &Tx, now: DateTime<Utc>) -> Result<(), ServiceError> {
        tx.insert_session(&self.session).await?;
        Ok(tx.insert_refresh_token(&self.generation, now).await?)
    }

    pub(super) fn tokens(self, auth: &Auth, user: User, rights: Rights) -> Result<Tokens, ServiceError> {
        issue(auth, &self.generation, &self.refresh, user, rights)
    }
}

/// The tokens of a generation, the same however often they are asked for.
pub(super) fn issue(
    auth: &Auth,
    generation: &Generation,
    refresh: &RefreshToken,
    user: User,
    rights: Rights,
) -> Result<Tokens, ServiceError> {
    let expires_at = generation.access_expires_at;
    let issued_at = expires_at - auth.config.access_token_ttl;
    let access_token = auth.keys.sign_access(&Claims {
        iss: auth.config.public_url.clone(),
        aud: AUDIENCE.to_owned(),
        sub: user.id,
        tid: user.tenant_id,
        sid: generation.session_id,
        jti: generation.jti,
        pv: rights.version,
        iat: issued_at.timestamp(),
        nbf: issued_at.timestamp(),
        exp: expires_at.timestamp(),
    })?;
    // In the whole seconds that the token itself is dated in.
    let left = expires_at.timestamp() - auth.clock.now().timestamp();
    let expires_in = Duration::from_secs(u64::try_from(left).unwrap_or(0));
    Ok(Tokens { access_token, refresh_token: refresh.expose(), expires_in, user, rights })
}
