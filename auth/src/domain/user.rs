//! People's accounts: what they hold and whether they may sign in.

use chrono::{DateTime, Utc};
use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

/// The language of those who chose none.
pub const DEFAULT_LOCALE: &str = "en";

/// A person's account. Its password hash is read apart, by whoever verifies it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: Uuid,
    /// The tenant the user belongs to.
    pub tenant_id: Uuid,
    /// The address in its canonical spelling; unique in the tenant.
    pub email: String,
    /// Whether the address was proved.
    pub email_verified: bool,
    /// The public name, as it was written; unique in the tenant whatever the case.
    pub username: Option<String>,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// The number in E.164.
    pub phone: Option<String>,
    /// Whether the number was proved.
    pub phone_verified: bool,
    /// The preferred language, a BCP 47 tag.
    pub locale: String,
    /// The IANA time zone.
    pub time_zone: Option<String>,
    /// Whether the account may be used.
    pub status: Status,
    /// Tokens issued with an older version are stale.
    pub permission_version: u64,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

/// Whether an account may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Active,
    /// It waits for approval.
    Pending,
    /// It was banned.
    Banned,
}

impl Status {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Banned => "banned",
        }
    }

    /// Reads the database's word; one that is not known locks out rather than in.
    pub fn parse(word: &str) -> Self {
        match word {
            "active" => Self::Active,
            "pending" => Self::Pending,
            _ => Self::Banned,
        }
    }
}

impl User {
    /// Whether the account may sign in. Asked only after the right password: before it, the answer
    /// would tell strangers about the account.
    pub fn may_sign_in(&self, unverified: Unverified) -> Result<(), ServiceError> {
        self.may_go_on()?;
        match unverified {
            Unverified::Refused if !self.email_verified => Err(ErrorCode::AuthAccountUnverified.into()),
            _ => Ok(()),
        }
    }

    /// Whether a session of the account may go on.
    pub fn may_go_on(&self) -> Result<(), ServiceError> {
        match self.status {
            Status::Active => Ok(()),
            Status::Pending => Err(ErrorCode::AuthAccountPending.into()),
            Status::Banned => Err(ErrorCode::AuthAccountBanned.into()),
        }
    }
}

/// What becomes of those whose address is not proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// They may sign in.
    Welcome,
    /// They may not.
    Refused,
}

/// What a person writes of themselves when they register.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The address in its canonical spelling.
    pub email: String,
    /// The public name.
    pub username: Option<String>,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// The number in E.164.
    pub phone: Option<String>,
    /// The preferred language.
    pub locale: String,
}

/// What becomes of a field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays as it is.
    #[default]
    Keep,
    /// It gets this value.
    Set(String),
    /// It is emptied.
    Clear,
}

impl Change {
    /// What becomes of a field that is to have this value, or none.
    pub fn to(value: Option<String>) -> Self {
        value.map_or(Self::Clear, Self::Set)
    }
}

/// What a person changes of themselves.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    /// The name shown to others.
    pub display_name: Change,
    /// The public name.
    pub username: Change,
    /// The preferred language; clearing it falls back to the default.
    pub locale: Change,
    /// The IANA time zone.
    pub time_zone: Change,
}

/// The spelling under which public names are compared: one name, one owner, whatever the case.
pub fn username_key(username: &str) -> String {
    username.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(status: Status, email_verified: bool) -> User {
        User {
            id: Uuid::nil(),
            tenant_id: Uuid::nil(),
            email: "ana@example.org".into(),
            email_verified,
            username: None,
            display_name: None,
            phone: None,
            phone_verified: false,
            locale: DEFAULT_LOCALE.into(),
            time_zone: None,
            status,
            permission_version: 0,
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn only_active_verified_accounts_sign_in() {
        let code = |status, verified| {
            user(status, verified).may_sign_in(Unverified::Refused).map_err(|error| error.code())
        };
        assert_eq!(code(Status::Active, true), Ok(()));
        assert_eq!(code(Status::Active, false), Err(ErrorCode::AuthAccountUnverified));
        assert_eq!(code(Status::Pending, true), Err(ErrorCode::AuthAccountPending));
        assert_eq!(code(Status::Banned, false), Err(ErrorCode::AuthAccountBanned));
        assert!(user(Status::Active, false).may_sign_in(Unverified::Welcome).is_ok());
    }

    #[test]
    fn an_unknown_status_is_locked_out() {
        assert_eq!(Status::parse("whatever"), Status::Banned);
        for status in [Status::Active, Status::Pending, Status::Banned] {
            assert_eq!(Status::parse(status.as_str()), status);
        }
    }
}
