//! Finds the tenant of a request that carries no token.

use proto::{ErrorCode, ServiceError};

use crate::app::Auth;
use crate::domain::tenant::{ROOT, Tenant};

/// The tenant with this id or short name; the root tenant where none is asked for. Fails with
/// `NOT_FOUND` or `TENANT_SUSPENDED`.
pub(super) async fn find_tenant(auth: &Auth, wanted: Option<&str>) -> Result<Tenant, ServiceError> {
    let tenant = match wanted.map(|wanted| (wanted, wanted.parse())) {
        None => auth.store.tenant_by_id(ROOT).await?,
        Some((_, Ok(id))) => auth.store.tenant_by_id(id).await?,
        Some((slug, Err(_))) => auth.store.tenant_by_slug(slug).await?,
    };
    let tenant = tenant.ok_or(ErrorCode::NotFound)?;
    if tenant.suspended { Err(ErrorCode::TenantSuspended.into()) } else { Ok(tenant) }
}
