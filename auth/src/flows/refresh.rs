//! Goes on with a session: exchanges a refresh token for its successor. One conditional update picks
//! the winner of several who try; the others, and whoever lost the answer, get the very same one
//! within the leeway. A token that was exchanged before ends every session of its user.

use chrono::{DateTime, Utc};
use proto::{ErrorCode, ServiceError};

use super::begin_session::{Tokens, issue};
use super::end_sessions::Ending;
use super::tell::happened_from;
use crate::app::Auth;
use crate::domain::audit::{Action, Record};
use crate::domain::event::EventType;
use crate::domain::origin::Origin;
use crate::domain::refresh_token::{Generation, Judgement, RefreshToken, judge};
use crate::domain::session::{EndReason, Session};
use crate::domain::user::User;

/// Exchanges a refresh token. Fails with `AUTH_TOKEN_INVALID`, `AUTH_SESSION_REVOKED`,
/// `AUTH_TOKEN_REUSED`, or because the account may not go on.
pub async fn refresh(auth: &Auth, token: &str, origin: &Origin) -> Result<Tokens, ServiceError> {
    let invalid = || ServiceError::new(ErrorCode::AuthTokenInvalid);
    let now = auth.clock.now();
    let token = RefreshToken::parse(token).ok_or_else(invalid)?;
    let generation = auth.store.refresh_token_by_selector(&token.selector).await?.ok_or_else(invalid)?;
    // A wrong verifier proves nothing about whoever holds the right one: nothing ends.
    if !token.is_of(&generation) {
        return Err(invalid());
    }
    let session = auth.store.session_by_id(generation.session_id).await?.ok_or_else(invalid)?;
    if !session.is_live(now) {
        return Err(ErrorCode::AuthSessionRevoked.into());
    }
    let user = auth.store.user_by_id(session.user_id).await?.ok_or_else(invalid)?;
    user.may_go_on()?;
    let tenant = auth.store.tenant_by_id(user.tenant_id).await?.ok_or_else(invalid)?;
    if tenant.suspended {
        return Err(ErrorCode::TenantSuspended.into());
    }

    let (successor, jti) = token.successor(&auth.sealer);
    let next = Generation {
        selector: successor.selector.clone(),
        session_id: session.id,
        verifier_hash: successor.verifier_hash(),
        number: generation.number + 1,
        jti,
        access_expires_at: (now + auth.config.access_token_ttl)
            .min(auth.lifetimes().end(session.created_at, now)),
        used_at: None,
    };
    if generation.used_at.is_none() && rotate(auth, &generation, &next, &session, now).await? {
        let rights = auth.store.rights_of_user(&user).await?;
        return issue(auth, &next, &successor, user, rights);
    }
    repeat_or_end(auth, &token, user, origin).await
}

/// Whether this call won the exchange.
async fn rotate(
    auth: &Auth,
    generation: &Generation,
    next: &Generation,
    session: &Session,
    now: DateTime<Utc>,
) -> Result<bool, ServiceError> {
    let tx = auth.store.begin().await?;
    if !tx.mark_refresh_token_used(&generation.selector, now).await? {
        return Ok(false);
    }
    let expires_at = auth.lifetimes().end(session.created_at, now);
    if !tx.mark_session_used(session.id, now, expires_at).await? {
        return Err(ErrorCode::AuthSessionRevoked.into());
    }
    tx.insert_refresh_token(next, now).await?;
    tx.commit().await?;
    Ok(true)
}

/// The token was exchanged before, a moment ago or by somebody else.
async fn repeat_or_end(
    auth: &Auth,
    token: &RefreshToken,
    user: User,
    origin: &Origin,
) -> Result<Tokens, ServiceError> {
    let now = auth.clock.now();
    let generation =
        auth.store.refresh_token_by_selector(&token.selector).await?.ok_or(ErrorCode::AuthTokenInvalid)?;
    let issued = find_issued(auth, token).await?;
    let successor_unused = issued.as_ref().is_some_and(|(_, next)| next.used_at.is_none());
    match (judge(&generation, successor_unused, auth.config.refresh_leeway, now), issued) {
        (Judgement::Repeat, Some((successor, next))) => {
            let rights = auth.store.rights_of_user(&user).await?;
            issue(auth, &next, &successor, user, rights)
        }
        (Judgement::Reused, _) => end_all(auth, &generation, &user, origin).await,
        // The winner has not committed yet, or was undone: nothing was decided.
        (Judgement::Rotate | Judgement::Repeat, _) => {
            Err(ServiceError::unavailable("the exchange is undecided"))
        }
    }
}

/// The successor that the token was exchanged for.
async fn find_issued(
    auth: &Auth,
    token: &RefreshToken,
) -> Result<Option<(RefreshToken, Generation)>, ServiceError> {
    for successor in token.successors(&auth.sealer) {
        if let Some(next) = auth.store.refresh_token_by_selector(&successor.selector).await? {
            return Ok(Some((successor, next)));
        }
    }
    Ok(None)
}

async fn end_all(
    auth: &Auth,
    generation: &Generation,
    user: &User,
    origin: &Origin,
) -> Result<Tokens, ServiceError> {
    let now = auth.clock.now();
    let to = (user.tenant_id, user.id);
    let ending = Ending::of_all(auth, user.id, EndReason::TokenReused).await?;
    let record = Record::anonymous(to.0, Some(to.1), Action::TokenReused, origin)
        .with("session_id", generation.session_id.to_string())
        .with("generation", generation.number);
    let alert = happened_from(auth, EventType::TokenReused, to, origin, now);

    let tx = auth.store.begin().await?;
    let ended = ending.write(auth, &tx, (None, origin), now).await?;
    // Of several who show the token at once, the one that ends the sessions raises the alarm.
    if !ended.is_empty() {
        tx.insert_audit_record(auth.ids.uuid(now), record, now).await?;
        tx.insert_event(&alert, now).await?;
    }
    tx.commit().await?;

    ended.publish(auth).await;
    auth.wake_outbox.notify();
    metrics::counter!("platform_refresh_reuses_total").increment(1);
    Err(ErrorCode::AuthTokenReused.into())
}
