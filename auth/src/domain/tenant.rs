//! Tenants: isolated customers of the platform.

use uuid::{Uuid, uuid};

/// The tenant that is there from the beginning; its administrators see the others.
pub const ROOT: Uuid = uuid!("00000000-0000-7000-8000-000000000001");
/// The root tenant's short name.
pub const ROOT_SLUG: &str = "default";

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: Uuid,
    /// Its short name, unique on the platform.
    pub slug: String,
    /// Whether its users may use it.
    pub suspended: bool,
}
