//! Makes the identities that services prove themselves with: a root, an issuer under it, a short-lived
//! certificate for every service. How identities are used and judged is `mesh`'s affair.

pub mod authority;
pub mod dev;
mod error;
mod facts;
mod folder;
mod profile;
pub mod status;

pub use authority::Authority;
pub use error::CertsError;

/// The call policy as it is shipped, `certs/policy.toml`.
pub const POLICY: &str = include_str!("../policy.toml");
