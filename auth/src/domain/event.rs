//! Events: what happened here that others may want to tell people. They carry ids and references,
//! never an address or a secret.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// An account was made; its address is to be proved.
    UserRegistered,
    /// Somebody registered an address that has an account.
    RegisterRepeated,
    /// An address was proved.
    UserVerified,
    /// A way to reset the password was asked for.
    PasswordResetRequested,
    /// The password was changed or reset.
    PasswordChanged,
    /// A refresh token was used twice; every session was ended.
    TokenReused,
    /// A new session ended the oldest.
    SessionLimitReached,
    /// A session is not what it was; for open windows.
    SessionChanged,
    /// A user's rights are not what they were; for open windows.
    PermissionsChanged,
    /// A profile is not what it was; for open windows.
    ProfileChanged,
}

impl EventType {
    /// Its name on the wire; templates go by it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UserRegistered => "user.registered",
            Self::RegisterRepeated => "user.register-repeated",
            Self::UserVerified => "user.verified",
            Self::PasswordResetRequested => "auth.password-reset-requested",
            Self::PasswordChanged => "auth.password-changed",
            Self::TokenReused => "security.token-reused",
            Self::SessionLimitReached => "auth.session-limit-reached",
            Self::SessionChanged => "user.session-changed",
            Self::PermissionsChanged => "user.permissions-changed",
            Self::ProfileChanged => "user.profile-changed",
        }
    }
}

/// Something that happened to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its own id, by which it is taken only once.
    pub id: Uuid,
    /// The tenant it happened in.
    pub tenant_id: Uuid,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: String,
    /// The user it concerns.
    pub user_id: Uuid,
    /// What a message may speak of.
    pub data: Map<String, Value>,
    /// The link to reveal when the message is sent.
    pub link_id: Option<Uuid>,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
}
