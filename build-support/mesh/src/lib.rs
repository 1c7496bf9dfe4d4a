//! Carries calls between services: who a service is, whom it believes, who may call what, and the
//! channels between them. It ends at the handler; what a call means is the service's affair.
//!
//! Every connection is TLS 1.3 with a certificate on both sides, and every call is judged again: the
//! peer's certificate still lives and its authority is still trusted, the policy names the call, the
//! request keeps the contract's rules, the passport is genuine.

pub mod channel;
pub mod context;
mod deadline;
mod error;
pub mod identity;
pub mod passport;
pub mod policy;
pub mod process;
pub mod server;
pub mod spiffe;
pub mod svid;

pub use channel::{Channel, Upstream};
pub use context::{Caller, RequestContext};
pub use error::MeshError;
pub use identity::Identity;
pub use policy::Policy;
pub use process::{Member, Process};
pub use server::Server;
pub use spiffe::SpiffeId;
pub use svid::Svid;
