//! What the certificate of an authority says of itself.

use std::path::Path;

use chrono::{DateTime, Utc};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::CertsError;

/// A root's or an issuer's own words.
pub(crate) struct Facts {
    pub(crate) trust_domain: String,
    pub(crate) serial: String,
    pub(crate) not_after: DateTime<Utc>,
}

impl Facts {
    /// Reads a root's or an issuer's certificate.
    pub(crate) fn of_authority(pem: &str, path: &Path) -> Result<Self, CertsError> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| unlike(path, error.to_string()))?;
        let (_, certificate) =
            X509Certificate::from_der(&der).map_err(|error| unlike(path, error.to_string()))?;
        let names = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.clone());
        let trust_domain = names.unwrap_or_default().iter().find_map(|name| match name {
            GeneralName::URI(uri) => uri.strip_prefix("spiffe://").map(str::to_owned),
            _ => None,
        });
        let ends = DateTime::from_timestamp(certificate.validity().not_after.timestamp(), 0);
        match (trust_domain, ends) {
            (Some(trust_domain), Some(not_after)) if certificate.is_ca() => {
                Ok(Self { trust_domain, serial: certificate.raw_serial_as_string(), not_after })
            }
            _ => Err(unlike(path, "not the certificate of an authority".to_owned())),
        }
    }
}

pub(crate) fn unlike(path: &Path, reason: String) -> CertsError {
    CertsError::Authority { path: path.to_owned(), reason }
}
