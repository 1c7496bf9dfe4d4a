//! What a service's certificate says, by the X.509-SVID rules; whether its chain leads to a trusted
//! root is judged in `identity/trust.rs`.

use chrono::{DateTime, Utc};
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::{MeshError, SpiffeId};

/// A service certificate that keeps every rule for leaves: exactly one URI name, which is a SPIFFE id;
/// no authority; a critical key usage that signs and never certifies; usable at both ends of TLS.
#[derive(Debug, Clone)]
pub struct Svid {
    /// Whom it names.
    pub id: SpiffeId,
    /// From when it holds.
    pub not_before: DateTime<Utc>,
    /// Until when it holds.
    pub not_after: DateTime<Utc>,
    /// The serial number, colon-separated hex.
    pub serial: String,
}

impl Svid {
    /// Reads a certificate; an error says which rule it breaks.
    pub fn parse(certificate: &CertificateDer<'_>) -> Result<Self, MeshError> {
        let (rest, certificate) = X509Certificate::from_der(certificate)
            .map_err(|error| MeshError::Svid(format!("not X.509: {error}")))?;
        if !rest.is_empty() {
            return Err(broken("bytes follow the certificate"));
        }
        check_key_usage(&certificate)?;
        Ok(Self {
            id: only_uri(&certificate)?.parse()?,
            not_before: instant(certificate.validity().not_before.timestamp())?,
            not_after: instant(certificate.validity().not_after.timestamp())?,
            serial: certificate.raw_serial_as_string(),
        })
    }
}

fn check_key_usage(certificate: &X509Certificate<'_>) -> Result<(), MeshError> {
    if certificate
        .basic_constraints()
        .map_err(|_| broken("doubled constraints"))?
        .is_some_and(|found| found.value.ca)
    {
        return Err(broken("an authority's certificate names no service"));
    }
    let usage = certificate
        .key_usage()
        .map_err(|_| broken("doubled key usage"))?
        .ok_or_else(|| broken("no key usage"))?;
    if !usage.critical {
        return Err(broken("the key usage is not critical"));
    }
    if !usage.value.digital_signature() || usage.value.key_cert_sign() || usage.value.crl_sign() {
        return Err(broken("the key must sign messages and never certificates"));
    }
    let extended = certificate
        .extended_key_usage()
        .map_err(|_| broken("doubled extended key usage"))?
        .ok_or_else(|| broken("no extended key usage"))?;
    if !extended.value.server_auth || !extended.value.client_auth {
        return Err(broken("the certificate must serve both ends of TLS"));
    }
    Ok(())
}

fn only_uri<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a str, MeshError> {
    let names = certificate
        .subject_alternative_name()
        .map_err(|_| broken("doubled alternative names"))?
        .ok_or_else(|| broken("no alternative name"))?;
    if !names.critical && certificate.subject().iter().next().is_none() {
        return Err(broken("without a subject the alternative name must be critical"));
    }
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    match (uris.next(), uris.next()) {
        (Some(uri), None) => Ok(uri),
        (None, _) => Err(broken("no URI name")),
        (Some(_), Some(_)) => Err(broken("more than one URI name")),
    }
}

fn instant(seconds: i64) -> Result<DateTime<Utc>, MeshError> {
    DateTime::from_timestamp(seconds, 0).ok_or_else(|| broken("a time out of range"))
}

fn broken(rule: &str) -> MeshError {
    MeshError::Svid(rule.to_owned())
}
