//! Gives a tenant what it begins with: itself and its roles. Safe to repeat.

use proto::ServiceError;

use crate::app::Auth;
use crate::domain::role::{Role, SEEDED};
use crate::domain::tenant::Tenant;

/// Adds the tenant and the roles that are missing.
pub async fn seed_tenant(auth: &Auth, tenant: &Tenant, name: &str) -> Result<(), ServiceError> {
    let now = auth.clock.now();
    let tx = auth.store.begin().await?;
    tx.insert_tenant(tenant, name, now).await?;
    for (name, permissions, inherits) in SEEDED {
        let role = Role {
            name: name.to_owned(),
            permissions: permissions.iter().map(|&permission| permission.to_owned()).collect(),
            inherits: inherits.iter().map(|&role| role.to_owned()).collect(),
            version: 0,
        };
        tx.insert_role(tenant.id, &role).await?;
    }
    Ok(tx.commit().await?)
}
