//! What can go wrong while making or reading identities.

use std::io;
use std::path::{Path, PathBuf};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is an authority already, and it is never overwritten.
    #[error("{}: there is an authority already", .0.display())]
    Exists(PathBuf),
    /// Another command is at work in the same folder.
    #[error("{}: another command holds the lock", .0.display())]
    Busy(PathBuf),
    /// A service's name that cannot be one.
    #[error("{0:?} is no service name: 1 to 63 of a-z, 0-9 and -, a letter first, and not `ca`")]
    Name(String),
    /// A life out of bounds.
    #[error("a certificate lives 5 minutes to 7 days")]
    Life,
    /// The issuer ends before any certificate could be of use.
    #[error("the issuer ends too soon to sign anything")]
    IssuerEnds,
    /// A certificate of an authority that is not as `init` makes it.
    #[error("{}: {reason}", path.display())]
    Authority {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Signing(#[from] rcgen::Error),
    /// The mesh would not take what was made or read.
    #[error(transparent)]
    Mesh(#[from] mesh::MeshError),
}

impl CertsError {
    /// Says at which path the file system refused.
    pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> CertsError {
        move |source| CertsError::Io { path: path.to_owned(), source }
    }
}
