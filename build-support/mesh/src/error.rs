//! What can be wrong with an identity, a policy or a listener before any call is made.

use std::io;
use std::path::PathBuf;

/// Why a part of the mesh cannot be used. Faults of calls are `proto::ServiceError` instead.
#[derive(Debug, thiserror::Error)]
pub enum MeshError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// What was read.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is there and must not be used.
    #[error("{}: {reason}", path.display())]
    Refused {
        /// What was read.
        path: PathBuf,
        /// The rule it breaks.
        reason: String,
    },
    /// A text is no SPIFFE id.
    #[error("not a SPIFFE id: {0}")]
    SpiffeId(&'static str),
    /// A certificate breaks a rule for X.509-SVIDs.
    #[error("not a service certificate: {0}")]
    Svid(String),
    /// A call policy cannot be read or names what no contract has.
    #[error("call policy: {0}")]
    Policy(String),
    /// A signing key of passports cannot be used.
    #[error("passport key: {0}")]
    PassportKey(&'static str),
    /// TLS refused the certificate, the key or the bundle.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}
