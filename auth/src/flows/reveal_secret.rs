//! Reveals what a mail carries, at the moment it is sent.

use std::time::Duration;

use proto::{ErrorCode, ServiceError};

use crate::app::Auth;
use crate::domain::code::{self, Namespace};
use crate::domain::link::{Link, LinkToken};

/// What a mail carries.
#[derive(Debug)]
pub struct Secret {
    /// The token of the link.
    pub token: String,
    /// The six digits, where they still work.
    pub code: Option<String>,
    /// For how much longer the token works.
    pub expires_in: Duration,
}

/// Reveals a link's token and the code beside it. Fails with `AUTH_LINK_INVALID` where the link is not
/// open any more: then there is nothing to mail.
pub async fn reveal_secret(auth: &Auth, reference: &str) -> Result<Secret, ServiceError> {
    let invalid = || ServiceError::new(ErrorCode::AuthLinkInvalid);
    let now = auth.clock.now();
    let id = reference.parse().map_err(|_| invalid())?;
    let link = auth.store.link_by_id(id).await?.filter(|link| link.is_open(now)).ok_or_else(invalid)?;
    Ok(Secret {
        token: LinkToken::recover(&link, &auth.sealer).ok_or_else(invalid)?.expose(),
        code: code_beside(auth, &link).await?,
        expires_in: (link.expires_at - now).to_std().unwrap_or_default(),
    })
}

/// A code goes with the mail only where the store has it: one it lost, or never took, would not work.
async fn code_beside(auth: &Auth, link: &Link) -> Result<Option<String>, ServiceError> {
    let Some(namespace) = Namespace::beside(link.purpose) else { return Ok(None) };
    let Some(user) = auth.store.user_by_id(link.user_id).await? else { return Ok(None) };
    let keys = namespace.keys(&auth.sealer, link.tenant_id, &user.email);
    let digits = code::digits(link.id, &auth.sealer);
    let digest = code::digest(namespace, &digits, &auth.sealer);
    let in_force = auth.kv.code_in_force(&keys).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "a mail goes out without its code");
        None
    });
    Ok(in_force.is_some_and(|record| record.starts_with(&digest)).then_some(digits))
}
