//! Reads one generation of an identity from disk and refuses files that break the rules; what the
//! certificates mean is judged in `identity/generation.rs`.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::MeshError;

/// The leaf, then its issuer.
pub const SVID_FILE: &str = "svid.pem";
/// The leaf's private key, PKCS #8, mode 0600.
pub const KEY_FILE: &str = "key.pem";
/// The roots to trust.
pub const BUNDLE_FILE: &str = "bundle.pem";
/// The link to the folder of the generation in force.
pub const CURRENT: &str = "current";

/// No file of an identity comes near this size.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The three files of one generation.
pub(crate) struct Files {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) roots: Vec<CertificateDer<'static>>,
}

/// The folder that `current` points to. It is resolved once and everything is read from it, so that a
/// swap in between cannot mix two generations.
pub(crate) fn current_folder(dir: &Path) -> Result<PathBuf, MeshError> {
    let dir = dir.canonicalize().map_err(|source| unreadable(dir, source))?;
    let link = dir.join(CURRENT);
    let folder = link.canonicalize().map_err(|source| unreadable(&link, source))?;
    if folder.parent() != Some(dir.as_path()) {
        return Err(refused(&link, "it leads out of the identity's folder"));
    }
    Ok(folder)
}

pub(crate) fn read(folder: &Path) -> Result<Files, MeshError> {
    Ok(Files {
        chain: certificates(&folder.join(SVID_FILE))?,
        key: private_key(&folder.join(KEY_FILE))?,
        roots: certificates(&folder.join(BUNDLE_FILE))?,
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, MeshError> {
    regular(path)?;
    let text = fs::read(path).map_err(|source| unreadable(path, source))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| refused(path, &error.to_string()))?;
    if found.is_empty() {
        return Err(refused(path, "there is no certificate in it"));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, MeshError> {
    let text = read_secret(path)?;
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| refused(path, &error.to_string()))
}

/// Reads a secret that only its owner may read; refuses one that others may, a link, and what is no
/// text.
pub fn read_secret(path: &Path) -> Result<String, MeshError> {
    let facts = regular(path)?;
    if facts.permissions().mode() & 0o077 != 0 {
        return Err(refused(path, "others may read this key; its mode must be 0600"));
    }
    fs::read_to_string(path).map_err(|source| unreadable(path, source))
}

fn regular(path: &Path) -> Result<Metadata, MeshError> {
    let facts = fs::symlink_metadata(path).map_err(|source| unreadable(path, source))?;
    if !facts.is_file() {
        return Err(refused(path, "it is no regular file"));
    }
    if facts.len() > FILE_BYTES_MAX {
        return Err(refused(path, "it is too large"));
    }
    Ok(facts)
}

fn unreadable(path: &Path, source: io::Error) -> MeshError {
    MeshError::Read { path: path.to_owned(), source }
}

fn refused(path: &Path, reason: &str) -> MeshError {
    MeshError::Refused { path: path.to_owned(), reason: reason.to_owned() }
}
