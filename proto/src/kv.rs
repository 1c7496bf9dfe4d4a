//! The published access state: its keys, which other services may read, and the text of its records.
//! SQL is the truth; a record only saves asking auth. Every record leads with the revision it was
//! made from, so that an older one never takes a newer one's place.
//!
//! A record is in doubt while auth changes what it says, and while a reader that missed it asks the
//! database: whoever reads doubt asks auth.

use std::fmt;

use uuid::Uuid;

/// How long a record is believed: it bounds the lie where only auth is cut off from the store.
pub const ACCESS_TTL_SECONDS: u64 = 60;
/// How long a record stays in doubt where nobody settles it.
pub const DOUBT_TTL_SECONDS: u64 = 30;

/// Where a session's [`AccessRecord`] lies.
pub fn access_key(session_id: Uuid) -> String {
    format!("access:{session_id}")
}

/// Where the permission version of a user's own grants lies.
pub fn user_version_key(user_id: Uuid) -> String {
    format!("pv:{user_id}")
}

/// Where the permission version of a role lies.
pub fn role_version_key(tenant_id: Uuid, role: &str) -> String {
    format!("pv:{tenant_id}:{role}")
}

/// Where a revoked access token is announced to other services, as JSON `{revoked_at, reason,
/// session_id, user_id}`, for as long as the token would have lived.
pub fn revoked_key(jti: Uuid) -> String {
    format!("revoked:{jti}")
}

/// What is published of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// The session's revision in the database when the record was made.
    pub revision: u64,
    /// What it says.
    pub state: AccessState,
}

/// What a record says of its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessState {
    /// It goes on, for this user under these effective roles.
    Active {
        /// Whose session it is.
        user_id: Uuid,
        /// The names of the roles in force, with those they inherit from, in order.
        roles: Vec<String>,
    },
    /// It has ended, whatever the reason.
    Ended,
    /// It is being changed or looked up: ask auth.
    Doubt,
}

impl AccessRecord {
    /// Reads a record; what cannot be read is in doubt.
    pub fn parse(text: &str) -> Self {
        Self::read(text).unwrap_or(Self { revision: 0, state: AccessState::Doubt })
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let revision = words.next()?.parse().ok()?;
        let state = match words.next()? {
            "active" => AccessState::Active {
                user_id: words.next()?.parse().ok()?,
                roles: words.next()?.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect(),
            },
            "ended" => AccessState::Ended,
            _ => AccessState::Doubt,
        };
        Some(Self { revision, state })
    }
}

impl fmt::Display for AccessRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            AccessState::Active { user_id, roles } => {
                write!(f, "{} active {user_id} {}", self.revision, roles.join(","))
            }
            AccessState::Ended => write!(f, "{} ended", self.revision),
            AccessState::Doubt => write!(f, "{} doubt", self.revision),
        }
    }
}

/// What is published of a permission version: a number, or a number in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionRecord {
    /// The version in force.
    Known(u64),
    /// It is being raised or looked up: ask auth.
    Doubt(u64),
}

impl VersionRecord {
    /// Reads a record; what cannot be read is in doubt.
    pub fn parse(text: &str) -> Self {
        let (number, rest) = text.split_once(' ').unwrap_or((text, ""));
        match number.parse() {
            Ok(version) if rest.is_empty() => Self::Known(version),
            Ok(version) => Self::Doubt(version),
            Err(_) => Self::Doubt(0),
        }
    }
}

impl fmt::Display for VersionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(version) => write!(f, "{version}"),
            Self::Doubt(version) => write!(f, "{version} doubt"),
        }
    }
}

/// The record of whoever looks a missing one up. It holds the place: only the answer of its holder
/// may replace it, and not when a change, or the loss of the store, took the place meanwhile.
pub fn place_holder(nonce: Uuid) -> String {
    format!("0 filling {nonce}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_record_reads_back(revision: u64, user: u128, roles in prop::collection::vec("[A-Z_]{1,12}", 0..5), kind in 0..3) {
            let state = match kind {
                0 => AccessState::Active { user_id: Uuid::from_u128(user), roles },
                1 => AccessState::Ended,
                _ => AccessState::Doubt,
            };
            let record = AccessRecord { revision, state };
            prop_assert_eq!(AccessRecord::parse(&record.to_string()), record);
            for version in [VersionRecord::Known(revision), VersionRecord::Doubt(revision)] {
                prop_assert_eq!(VersionRecord::parse(&version.to_string()), version);
            }
        }

        #[test]
        fn nonsense_is_doubt_and_never_access(text in "\\PC{0,60}") {
            let active = matches!(AccessRecord::parse(&text).state, AccessState::Active { .. });
            prop_assert!(!active);
        }
    }

    #[test]
    fn a_held_place_is_doubt() {
        let held = place_holder(Uuid::nil());
        assert_eq!(AccessRecord::parse(&held).state, AccessState::Doubt);
        assert_eq!(VersionRecord::parse(&held), VersionRecord::Doubt(0));
    }
}
