//! Roles and what they allow. A role inherits what the roles it names allow; `ADMIN` allows all.

use std::collections::{BTreeMap, BTreeSet};

use proto::permission::Grant;
use proto::{ErrorCode, ServiceError};

/// The role that holds every permission.
pub const ADMIN: &str = "ADMIN";
/// The role of those who register.
pub const USER: &str = "USER";

/// How deep roles inherit.
const DEPTH_MAX: usize = 16;

/// A role of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The name, unique in the tenant.
    pub name: String,
    /// What it allows, `resource:action` with an optional scope.
    pub permissions: Vec<String>,
    /// The roles it inherits from.
    pub inherits: Vec<String>,
    /// Tokens issued with an older version to its holders are stale.
    pub version: u64,
}

/// The roles every tenant begins with: name, permissions, inherited roles.
pub const SEEDED: [(&str, &[&str], &[&str]); 6] = [
    (ADMIN, &["*:*"], &[]),
    ("MANAGER", &["user:read", "session:read", "notification:send"], &[USER]),
    ("CONTRACTOR", &[], &[USER]),
    ("HOMEOWNER", &[], &[USER]),
    ("WORKER", &[], &[USER]),
    (USER, &["session:read:self", "session:write:self", "user:read:self", "user:write:self"], &[]),
];

/// What a user's roles come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// The roles held, in order.
    pub held: Vec<String>,
    /// The roles in force: those held and those they inherit from, in order.
    pub effective: Vec<String>,
    /// Everything they allow, in order, each once.
    pub permissions: Vec<String>,
    /// The highest version among the user and the roles in force.
    pub version: u64,
}

impl Rights {
    /// What these held roles come to among a tenant's roles. A held role that is gone allows nothing.
    pub fn of(held: &[String], roles: &BTreeMap<String, Role>, user_version: u64) -> Self {
        let mut effective = BTreeSet::new();
        let mut layer: Vec<&Role> = held.iter().filter_map(|name| roles.get(name)).collect();
        for _ in 0..DEPTH_MAX {
            let fresh: Vec<&Role> =
                layer.into_iter().filter(|role| effective.insert(role.name.clone())).collect();
            layer = fresh.iter().flat_map(|role| &role.inherits).filter_map(|name| roles.get(name)).collect();
        }
        let in_force = || effective.iter().filter_map(|name| roles.get(name));
        let permissions: BTreeSet<String> = in_force().flat_map(|role| role.permissions.clone()).collect();
        let version = in_force().map(|role| role.version).fold(user_version, u64::max);
        let held: BTreeSet<String> = held.iter().cloned().collect();
        Self {
            held: held.into_iter().collect(),
            effective: effective.into_iter().collect(),
            permissions: permissions.into_iter().collect(),
            version,
        }
    }
}

/// Whether someone with these permissions may give rights away: nobody gives what they do not hold.
pub fn may_give(held: &[String], rights: &Rights) -> Result<(), ServiceError> {
    let held: Vec<Grant> = held.iter().filter_map(|text| Grant::parse(text)).collect();
    let covered =
        |text: &String| Grant::parse(text).is_none_or(|wanted| held.iter().any(|own| own.includes(&wanted)));
    if rights.permissions.iter().all(covered) { Ok(()) } else { Err(ErrorCode::PermissionDenied.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> BTreeMap<String, Role> {
        let role = |(index, (name, permissions, inherits)): (usize, (&str, &[&str], &[&str]))| Role {
            name: name.to_owned(),
            permissions: permissions.iter().map(|&p| p.to_owned()).collect(),
            inherits: inherits.iter().map(|&r| r.to_owned()).collect(),
            version: index as u64,
        };
        SEEDED.into_iter().enumerate().map(role).map(|role| (role.name.clone(), role)).collect()
    }

    fn held(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_role_allows_what_it_inherits() {
        let rights = Rights::of(&held(&["MANAGER"]), &roles(), 0);
        assert_eq!(rights.held, ["MANAGER"]);
        assert_eq!(rights.effective, ["MANAGER", "USER"]);
        assert!(rights.permissions.contains(&"user:read".to_owned()));
        assert!(rights.permissions.contains(&"session:read:self".to_owned()));
        assert_eq!(rights.version, 5, "the version of USER, the later of the two");
        assert_eq!(Rights::of(&held(&["MANAGER"]), &roles(), 9).version, 9);
    }

    #[test]
    fn a_circle_of_roles_ends() {
        let mut roles = roles();
        roles.get_mut(USER).unwrap().inherits = held(&["MANAGER"]);
        assert_eq!(Rights::of(&held(&["USER"]), &roles, 0).effective, ["MANAGER", "USER"]);
    }

    #[test]
    fn a_role_that_is_gone_allows_nothing() {
        assert_eq!(Rights::of(&held(&["GONE"]), &roles(), 0).permissions, Vec::<String>::new());
    }

    #[test]
    fn nobody_gives_what_they_do_not_hold() {
        let admin = Rights::of(&held(&[ADMIN]), &roles(), 0);
        let manager = Rights::of(&held(&["MANAGER"]), &roles(), 0);
        assert!(may_give(&admin.permissions, &manager).is_ok());
        assert!(may_give(&manager.permissions, &manager).is_ok());
        assert!(may_give(&manager.permissions, &admin).is_err());
    }
}
