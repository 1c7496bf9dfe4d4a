//! A method of a contract as the edge guards and calls it, its policy checked against its messages.

use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};
use proto::edge::{Access, Policy, TenantScope};

use crate::contract::{self, field_path};
use crate::guard::rate_limit::Limits;
use proto::permission::Permission;

/// Who answers a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A service of the mesh, by its name.
    Service(Arc<str>),
    /// The edge itself, with its registry.
    Registry,
}

impl Target {
    /// The name in the registry.
    pub fn name(&self) -> &str {
        match self {
            Self::Service(name) => name,
            Self::Registry => "gateway",
        }
    }
}

/// A method and how it is guarded.
#[derive(Debug)]
pub struct Rpc {
    /// `platform.auth.v1.SessionService/Login`.
    pub name: String,
    /// Where it is called inside the mesh.
    pub path: PathAndQuery,
    /// Who answers.
    pub target: Target,
    /// The policy as declared.
    pub policy: Policy,
    /// Who may call.
    pub access: Access,
    /// The permission it asks for.
    pub permission: Option<Permission>,
    /// The request field that names the owner; empty where there is none.
    pub owner: Vec<FieldDescriptor>,
    /// How often it may be called.
    pub limits: Limits,
    /// Whether its answer carries a credential.
    pub credential: bool,
}

impl Rpc {
    pub(super) fn read(method: &MethodDescriptor, target: Target) -> Result<Self, String> {
        if method.is_client_streaming() || method.is_server_streaming() {
            return Err("streams are not served".to_owned());
        }
        let policy = contract::policy(method).ok_or("it has an HTTP rule and no policy")?;
        let access = match policy.access() {
            Access::Unspecified => return Err("its policy names no access".to_owned()),
            access => access,
        };
        let permission = match (access, policy.permission.as_str()) {
            (Access::Permitted, "") => return Err("its policy asks for no permission".to_owned()),
            (Access::Permitted, text) => Some(Permission::parse(text)?),
            (_, "") => None,
            _ => return Err("its policy asks for a permission that its access does not check".to_owned()),
        };
        if policy.tenant() == TenantScope::Platform {
            return Err("the tenant scope PLATFORM is not served".to_owned());
        }
        let owner = match policy.owner_field.as_str() {
            "" => Vec::new(),
            path => field_path(path, &method.input())?,
        };
        check_numbers(&policy)?;
        let limits = Limits::compile(&policy, &method.input())?;
        let name = format!("{}/{}", method.parent_service().full_name(), method.name());
        let path = PathAndQuery::try_from(format!("/{name}")).map_err(|_| "its name is no path")?;
        let credential = carries_credential(&method.output(), &mut Vec::new());
        Ok(Self { name, path, target, policy, access, permission, owner, limits, credential })
    }

    /// How long an answer may take.
    pub fn deadline(&self, default: Duration) -> Duration {
        match u64::try_from(self.policy.deadline_ms) {
            Ok(millis @ 1..) => Duration::from_millis(millis),
            _ => default,
        }
    }

    /// How large a body may be.
    pub fn body_bytes_max(&self, default: usize) -> usize {
        match usize::try_from(self.policy.body_max_bytes) {
            Ok(bytes @ 1..) => bytes,
            _ => default,
        }
    }
}

fn check_numbers(policy: &Policy) -> Result<(), String> {
    if policy.success_status != 0 && !(200..=299).contains(&policy.success_status) {
        return Err(format!("{} is no status of success", policy.success_status));
    }
    if policy.deadline_ms < 0 || policy.body_max_bytes < 0 || policy.cache_max_age_seconds < 0 {
        return Err("its policy has a negative bound".to_owned());
    }
    Ok(())
}

fn carries_credential(message: &MessageDescriptor, seen: &mut Vec<String>) -> bool {
    if seen.iter().any(|name| name == message.full_name()) {
        return false;
    }
    seen.push(message.full_name().to_owned());
    message.fields().any(|field| {
        contract::field_policy(&field).credential
            || matches!(field.kind(), Kind::Message(kind) if carries_credential(&kind, seen))
    })
}
