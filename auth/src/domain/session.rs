//! Sessions: one sign-in and what follows from it, and why it ends.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A session.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// The session's id.
    pub id: Uuid,
    /// The tenant it belongs to.
    pub tenant_id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// Whether it goes on.
    pub status: Status,
    /// How the person proved who they are.
    pub auth_method: AuthMethod,
    /// The address it was begun from.
    pub ip_address: Option<String>,
    /// The program it was begun with.
    pub user_agent: Option<String>,
    /// The kind of device it was begun on: `web`, `mobile`, `tablet`, `kiosk`, `unknown`.
    pub device_type: String,
    /// The place it was begun from.
    pub location: Option<String>,
    /// What the client wants remembered: a JSON object.
    pub login_context: Option<serde_json::Value>,
    /// Raised by every change of what is published of it.
    pub revision: u64,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_used_at: DateTime<Utc>,
    /// When it ends if it is not refreshed.
    pub expires_at: DateTime<Utc>,
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It does, until it expires.
    Active,
    /// It was ended.
    Revoked,
    /// It was not refreshed in time.
    Expired,
    /// The account was locked.
    Locked,
}

impl Status {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Locked => "locked",
        }
    }

    /// Reads the database's word; one that is not known is an end.
    pub fn parse(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "expired" => Self::Expired,
            "locked" => Self::Locked,
            _ => Self::Revoked,
        }
    }
}

/// How a person proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// By a password.
    Local,
    /// By a one-time code.
    Otp,
}

impl AuthMethod {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Otp => "otp",
        }
    }

    /// Reads the database's word.
    pub fn parse(word: &str) -> Self {
        if word == "otp" { Self::Otp } else { Self::Local }
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its owner signed out.
    Logout,
    /// Its owner signed out everywhere.
    LogoutAll,
    /// The password was changed.
    PasswordChanged,
    /// The password was reset.
    PasswordReset,
    /// A refresh token was used a second time.
    TokenReused,
    /// A newer session took its place.
    LimitReached,
}

impl EndReason {
    /// The word in the database, in `revoked:<jti>` and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::LogoutAll => "logout_all",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::TokenReused => "token_reused",
            Self::LimitReached => "limit_reached",
        }
    }
}

impl Session {
    /// Whether it goes on at this time.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.status == Status::Active && now < self.expires_at
    }

    /// Its status as seen at this time: nobody writes down that time has passed.
    pub fn status_at(&self, now: DateTime<Utc>) -> Status {
        if self.status == Status::Active && now >= self.expires_at { Status::Expired } else { self.status }
    }
}

/// How long sessions live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// How long without a refresh.
    pub idle: Duration,
    /// How long at all, however often refreshed.
    pub absolute: Duration,
}

impl Lifetimes {
    /// When a session that began and was used at these times ends.
    pub fn end(&self, began: DateTime<Utc>, used: DateTime<Utc>) -> DateTime<Utc> {
        (used + self.idle).min(began + self.absolute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_however_often_it_is_refreshed() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let lifetimes = Lifetimes { idle: days(14), absolute: days(90) };
        let began = DateTime::UNIX_EPOCH;
        assert_eq!(lifetimes.end(began, began), began + days(14));
        assert_eq!(lifetimes.end(began, began + days(85)), began + days(90));
    }

    #[test]
    fn an_unknown_status_is_an_end() {
        assert_eq!(Status::parse("whatever"), Status::Revoked);
        for status in [Status::Active, Status::Revoked, Status::Expired, Status::Locked] {
            assert_eq!(Status::parse(status.as_str()), status);
        }
    }
}
