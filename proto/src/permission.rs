//! Permissions: `resource:action`, with `:self` or `:any` where the scope matters. A dot reads as a
//! colon, `*` stands for a whole segment. The edge, every service behind it and auth must read them alike.

use crate::{ErrorCode, ServiceError};

/// The permission a method asks for, without a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    resource: String,
    action: String,
}

/// A permission that a caller holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    resource: String,
    action: String,
    scope: Scope,
}

/// Whose objects a grant reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The caller's own.
    Own,
    /// Any in the tenant.
    Any,
}

impl Permission {
    /// Reads what a policy asks for: two plain segments.
    pub fn parse(text: &str) -> Result<Self, String> {
        let normal = text.replace('.', ":");
        match normal.split(':').collect::<Vec<_>>()[..] {
            [resource, action] if is_plain(resource) && is_plain(action) => {
                Ok(Self { resource: resource.to_owned(), action: action.to_owned() })
            }
            _ => Err(format!("`{text}` is no permission, expected resource:action")),
        }
    }

    /// The widest scope in which these grants hold the permission; `PERMISSION_DENIED` where none does.
    pub fn scope_in(&self, grants: &[Grant]) -> Result<Scope, ServiceError> {
        let holding = grants.iter().filter(|grant| grant.covers(self)).map(|grant| grant.scope);
        holding.max().ok_or_else(|| ErrorCode::PermissionDenied.into())
    }
}

impl Grant {
    /// Reads a permission as auth words it; what is none grants nothing.
    pub fn parse(text: &str) -> Option<Self> {
        let normal = text.replace('.', ":");
        let segments: Vec<&str> = normal.split(':').collect();
        let (resource, action, scope) = match segments[..] {
            [resource, action] | [resource, action, "any" | "*"] => (resource, action, Scope::Any),
            [resource, action, "self"] => (resource, action, Scope::Own),
            _ => return None,
        };
        let named = |segment: &str| segment == "*" || is_plain(segment);
        (named(resource) && named(action)).then(|| Self {
            resource: resource.to_owned(),
            action: action.to_owned(),
            scope,
        })
    }

    /// Whether it holds wherever the other does.
    pub fn includes(&self, other: &Grant) -> bool {
        self.matches(&other.resource, &other.action) && self.scope >= other.scope
    }

    fn covers(&self, permission: &Permission) -> bool {
        self.matches(&permission.resource, &permission.action)
    }

    fn matches(&self, resource: &str, action: &str) -> bool {
        let segment = |granted: &str, asked: &str| granted == "*" || granted == asked;
        segment(&self.resource, resource) && segment(&self.action, action)
    }
}

fn is_plain(segment: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
    !segment.is_empty() && segment.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(asked: &str, held: &[&str]) -> Option<Scope> {
        let grants: Vec<Grant> = held.iter().filter_map(|text| Grant::parse(text)).collect();
        Permission::parse(asked).unwrap().scope_in(&grants).ok()
    }

    #[test]
    fn a_grant_holds_for_its_own_words_only() {
        assert_eq!(scope("user:write", &["user:write"]), Some(Scope::Any));
        assert_eq!(scope("user:write", &["user:read", "users:write", "write:user"]), None);
        assert_eq!(scope("user:write", &[]), None);
    }

    #[test]
    fn a_star_stands_for_a_segment() {
        assert_eq!(scope("user:write", &["*:*"]), Some(Scope::Any));
        assert_eq!(scope("user:write", &["user:*:self"]), Some(Scope::Own));
        assert_eq!(scope("user:write", &["us*:write", "*", ""]), None);
    }

    #[test]
    fn the_widest_scope_counts_and_a_dot_reads_as_a_colon() {
        assert_eq!(scope("session:read", &["session.read.self"]), Some(Scope::Own));
        assert_eq!(scope("session.read", &["session:read:self", "session:read:any"]), Some(Scope::Any));
        assert_eq!(scope("session:read", &["session:read:other"]), None);
    }

    #[test]
    fn a_grant_includes_what_is_narrower() {
        let includes =
            |wide: &str, narrow: &str| Grant::parse(wide).unwrap().includes(&Grant::parse(narrow).unwrap());
        assert!(includes("user:read", "user:read:self") && includes("user:*", "user:read:any"));
        assert!(includes("*:*", "user:*"));
        assert!(!includes("user:read:self", "user:read") && !includes("user:read", "user:*"));
    }

    #[test]
    fn a_policy_asks_for_two_plain_words() {
        for text in ["", "user", "user:", "user:*", "user:write:self", "User:write"] {
            assert!(Permission::parse(text).is_err(), "{text:?}");
        }
    }
}
