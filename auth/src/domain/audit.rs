//! The audit trail: who did what to whom, from where. A record says nothing secret.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::origin::Origin;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An account was made.
    UserRegistered,
    /// An address that has an account was registered again.
    RegisterRepeated,
    /// An address was proved.
    EmailVerified,
    /// Somebody signed in.
    LoginSucceeded,
    /// Somebody failed to sign in to an account.
    LoginFailed,
    /// Sessions were ended.
    SessionsEnded,
    /// A refresh token was used twice.
    TokenReused,
    /// A way to reset a password was asked for.
    PasswordResetRequested,
    /// A password was reset.
    PasswordReset,
    /// A password was changed by its owner.
    PasswordChanged,
    /// A profile was changed.
    ProfileUpdated,
    /// A user's roles were set.
    UserRolesSet,
}

impl Action {
    /// Its name in the trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user.registered",
            Self::RegisterRepeated => "user.register-repeated",
            Self::EmailVerified => "user.email-verified",
            Self::LoginSucceeded => "session.login",
            Self::LoginFailed => "session.login-failed",
            Self::SessionsEnded => "session.ended",
            Self::TokenReused => "session.token-reused",
            Self::PasswordResetRequested => "password.reset-requested",
            Self::PasswordReset => "password.reset",
            Self::PasswordChanged => "password.changed",
            Self::ProfileUpdated => "user.profile-updated",
            Self::UserRolesSet => "user.roles-set",
        }
    }

    /// How much it matters.
    pub fn severity(self) -> &'static str {
        match self {
            Self::TokenReused => "CRITICAL",
            Self::LoginFailed | Self::RegisterRepeated => "WARNING",
            _ => "INFO",
        }
    }
}

/// One record, before it has its id and time.
#[derive(Clone, Debug)]
pub struct Record {
    /// The tenant it belongs to.
    pub tenant_id: Uuid,
    /// Who did it; nobody where the caller was not signed in.
    pub actor_id: Option<Uuid>,
    /// What was done.
    pub action: Action,
    /// The user it was done to; nobody where there is no such account.
    pub user_id: Option<Uuid>,
    /// Where it came from.
    pub origin: Origin,
    /// What else there is to know.
    pub metadata: Map<String, Value>,
}

impl Record {
    /// A user did this to themselves.
    pub fn own(tenant_id: Uuid, user_id: Uuid, action: Action, origin: &Origin) -> Self {
        Self {
            tenant_id,
            actor_id: Some(user_id),
            action,
            user_id: Some(user_id),
            origin: origin.clone(),
            metadata: Map::new(),
        }
    }

    /// Somebody who is not signed in did this to a user, or to an account that does not exist.
    pub fn anonymous(tenant_id: Uuid, user_id: Option<Uuid>, action: Action, origin: &Origin) -> Self {
        Self { tenant_id, actor_id: None, action, user_id, origin: origin.clone(), metadata: Map::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.metadata.insert(name.to_owned(), value.into());
        self
    }
}
