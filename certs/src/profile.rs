//! What stands in a certificate of each kind. Every field is set here: the library's defaults are a
//! life from 1975 to 4096, no key usage, and a serial that a renewed certificate would keep.

use chassis::Ids;
use chrono::{DateTime, TimeDelta, Utc};
use mesh::{MeshError, SpiffeId};
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyIdMethod, KeyUsagePurpose, SanType, SerialNumber,
};
use time::OffsetDateTime;

use crate::CertsError;

/// How long a root lasts.
pub(crate) const ROOT_LIFE: TimeDelta = TimeDelta::days(5 * 365);
/// How long an issuer lasts.
pub(crate) const ISSUER_LIFE: TimeDelta = TimeDelta::days(90);
/// Clocks of peers may lag by this much.
const BACKDATED: TimeDelta = TimeDelta::seconds(60);

/// From when and until when a certificate holds.
#[derive(Clone, Copy)]
pub(crate) struct Life {
    begins: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl Life {
    /// From a minute ago until `ends`, in whole seconds as certificates count.
    pub(crate) fn until(ends: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self { begins: now - BACKDATED, ends }
    }
}

/// The root: signs issuers only.
pub(crate) fn root(trust_domain: &str, life: Life, ids: &Ids) -> Result<CertificateParams, CertsError> {
    authority(trust_domain, "root", 1, life, ids)
}

/// The issuer: signs services only.
pub(crate) fn issuer(trust_domain: &str, life: Life, ids: &Ids) -> Result<CertificateParams, CertsError> {
    authority(trust_domain, "issuer", 0, life, ids)
}

/// A service: proves its id at both ends of TLS and signs nothing. Clients that judge by host name find
/// the service's name beside its id.
pub(crate) fn service(id: &SpiffeId, life: Life, ids: &Ids) -> Result<CertificateParams, CertsError> {
    let mut params = base(life, &ids.bytes())?;
    params.subject_alt_names = vec![SanType::URI(ia5(id.as_str())?), SanType::DnsName(ia5(id.name())?)];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn authority(
    trust_domain: &str,
    kind: &str,
    authorities_below: u8,
    life: Life,
    ids: &Ids,
) -> Result<CertificateParams, CertsError> {
    let serial: [u8; 16] = ids.bytes();
    let mut params = base(life, &serial)?;
    // Each generation has a name of its own, or a chain could be built from the wrong one.
    let [a, b, c, d, ..] = serial;
    let name = format!("{trust_domain} {kind} {a:02x}{b:02x}{c:02x}{d:02x}");
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names = vec![SanType::URI(ia5(&format!("spiffe://{trust_domain}"))?)];
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(authorities_below));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn base(life: Life, serial: &[u8; 16]) -> Result<CertificateParams, CertsError> {
    let mut params = CertificateParams::default();
    params.not_before = whole_seconds(life.begins)?;
    params.not_after = whole_seconds(life.ends)?;
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.distinguished_name = DistinguishedName::new();
    params.name_constraints = None;
    params.crl_distribution_points = Vec::new();
    params.custom_extensions = Vec::new();
    params.use_authority_key_identifier_extension = true;
    params.key_identifier_method = KeyIdMethod::Sha256;
    Ok(params)
}

fn whole_seconds(moment: DateTime<Utc>) -> Result<OffsetDateTime, CertsError> {
    OffsetDateTime::from_unix_timestamp(moment.timestamp()).map_err(|_| CertsError::Life)
}

fn ia5(text: &str) -> Result<Ia5String, CertsError> {
    Ia5String::try_from(text).map_err(|_| MeshError::SpiffeId("not ASCII").into())
}
