//! What a contract's policy asks of the person behind a call. The edge judges first, with all it knows;
//! here a service makes sure that nothing reaches its handlers past the edge.

use prost_reflect::MethodDescriptor;
use proto::edge::{self, Policy};
use proto::permission::{Grant, Permission};
use proto::{ErrorCode, ServiceError};

use crate::{Caller, MeshError};

/// Whom a method lets in.
pub(super) enum Access {
    /// Anybody; who of the mesh may call is the call policy's.
    Anybody,
    /// Whoever is signed in.
    SignedIn,
    /// Whoever holds this. Whether a grant for one's own reaches the object is judged at the edge.
    Holding(Permission),
}

impl Access {
    /// Reads a method's policy. Fails where it cannot be read: what is not understood is not let through.
    pub(super) fn of(method: &MethodDescriptor) -> Result<Self, MeshError> {
        let unreadable = |why: String| MeshError::Policy(format!("{}: {why}", method.full_name()));
        let Some(extension) = method.parent_pool().get_extension_by_name("platform.edge.v1.policy") else {
            return Ok(Self::Anybody);
        };
        let options = method.options();
        if !options.has_extension(&extension) {
            return Ok(Self::Anybody);
        }
        let policy = options.get_extension(&extension);
        let policy = policy.as_message().ok_or_else(|| unreadable("its policy is no message".to_owned()))?;
        let policy: Policy = policy.transcode_to().map_err(|error| unreadable(error.to_string()))?;
        match policy.access() {
            edge::Access::Permitted if policy.api_key_group.is_empty() => {
                Ok(Self::Holding(Permission::parse(&policy.permission).map_err(unreadable)?))
            }
            // A method that API keys may call too gets a passport without a person's permissions.
            edge::Access::Permitted | edge::Access::Authenticated => Ok(Self::SignedIn),
            edge::Access::Public | edge::Access::ApiKey => Ok(Self::Anybody),
            edge::Access::Unspecified => Err(unreadable("its policy does not say who may call".to_owned())),
        }
    }

    /// Fails with `UNAUTHENTICATED` or `PERMISSION_DENIED`.
    pub(super) fn judge(&self, caller: Option<&Caller>) -> Result<(), ServiceError> {
        match (self, caller) {
            (Self::Anybody, _) | (Self::SignedIn, Some(_)) => Ok(()),
            (Self::SignedIn | Self::Holding(_), None) => Err(ErrorCode::Unauthenticated.into()),
            (Self::Holding(permission), Some(caller)) => {
                let grants: Vec<Grant> =
                    caller.permissions.iter().filter_map(|text| Grant::parse(text)).collect();
                permission.scope_in(&grants).map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn access(service: &str, method: &str) -> Access {
        let service = proto::pool().get_service_by_name(service).unwrap();
        Access::of(&service.methods().find(|found| found.name() == method).unwrap()).unwrap()
    }

    fn caller(permissions: &[&str]) -> Caller {
        Caller {
            user_id: Uuid::nil(),
            tenant_id: Uuid::nil(),
            session_id: Uuid::nil(),
            token_jti: Uuid::nil(),
            permissions: permissions.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    fn code(access: &Access, caller: Option<&Caller>) -> Option<ErrorCode> {
        access.judge(caller).err().map(|error| error.code())
    }

    #[test]
    fn a_service_asks_for_what_the_edge_should_have_asked_for() {
        let set_roles = access("platform.auth.v1.UserService", "SetUserRoles");
        assert_eq!(code(&set_roles, None), Some(ErrorCode::Unauthenticated));
        assert_eq!(code(&set_roles, Some(&caller(&["user:read"]))), Some(ErrorCode::PermissionDenied));
        assert_eq!(code(&set_roles, Some(&caller(&["user:write"]))), None);

        let get_me = access("platform.auth.v1.ProfileService", "GetMe");
        assert_eq!(code(&get_me, None), Some(ErrorCode::Unauthenticated));
        assert_eq!(code(&get_me, Some(&caller(&[]))), None);

        let login = access("platform.auth.v1.SessionService", "Login");
        assert_eq!(code(&login, None), None);
    }
}
