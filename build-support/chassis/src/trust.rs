//! Which certificate authorities the platform trusts when it dials the outside: the machine's, and one
//! file more. Service identities inside the mesh are no concern of this module.

use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

/// Where common systems keep their bundle. Read first, because the loader of the machine's roots takes
/// the variable `SSL_CERT_FILE` for a replacement, and ours is an addition.
const SYSTEM_BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

/// The file of additional roots cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", file.display())]
pub struct TrustError {
    file: PathBuf,
    problem: String,
}

/// The machine's roots and those of the PEM file `extra` (the setting `SSL_CERT_FILE`).
pub fn roots(extra: Option<&Path>) -> Result<RootCertStore, TrustError> {
    let mut store = RootCertStore::empty();
    let bundle = SYSTEM_BUNDLES.iter().map(Path::new).find(|path| path.exists());
    let machine = match bundle {
        Some(bundle) => rustls_native_certs::load_certs_from_paths(Some(bundle), None),
        None => rustls_native_certs::load_native_certs(),
    };
    store.add_parsable_certificates(machine.certs);
    let Some(file) = extra else { return Ok(store) };

    let refuse = |problem: String| TrustError { file: file.to_owned(), problem };
    let certificates = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse(error.to_string()))?;
    if certificates.is_empty() {
        return Err(refuse("holds no certificate".to_owned()));
    }
    for certificate in certificates {
        store.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    Ok(store)
}
