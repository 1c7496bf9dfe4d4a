//! What is made: every field of every certificate, the files around them, and what is refused.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use certs::authority::SERVICE_LIFE;
use certs::{Authority, CertsError};
use chassis::Clock;
use chrono::{DateTime, TimeDelta};
use mesh::Identity;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tempfile::TempDir;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

const DAY: Duration = Duration::from_hours(24);

fn world() -> (TempDir, Clock, Authority) {
    let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let dir = TempDir::new().unwrap();
    let authority = Authority::create(dir.path(), "platform.local", &clock).unwrap();
    (dir, clock, authority)
}

/// The certificates of a file, told in words.
fn told(path: &Path) -> String {
    CertificateDer::pem_file_iter(path).unwrap().map(|der| tell(&der.unwrap())).collect::<Vec<_>>().join("\n")
}

fn tell(der: &CertificateDer<'_>) -> String {
    let (_, certificate) = X509Certificate::from_der(der).unwrap();
    let constraints = certificate.basic_constraints().unwrap().unwrap();
    let usage = certificate.key_usage().unwrap().unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let names_are_critical = names.critical;
    let life = certificate.validity().not_after.timestamp() - certificate.validity().not_before.timestamp();
    let extended = certificate.extended_key_usage().unwrap();
    let extended = extended.map(|found| [found.value.server_auth, found.value.client_auth]);
    let extensions: Vec<_> =
        certificate.iter_extensions().map(|extension| extension.oid.to_id_string()).collect();
    // The last word of an authority's subject is drawn by lot.
    let subject = certificate.subject().to_string();
    let subject = subject.rsplit_once(' ').map_or("", |(name, _)| name);
    let names = names_of(&names.value.general_names);
    format!(
        "{subject:?} for {life} s\n  {}authority: {}, authorities below: {:?}\n  {}usage: {}, server and client: {extended:?}\n  \
         {}names: {}\n  extensions: {}",
        critical(constraints.critical),
        constraints.value.ca,
        constraints.value.path_len_constraint,
        critical(usage.critical),
        usage.value,
        critical(names_are_critical),
        names.join(", "),
        extensions.join(" "),
    )
}

fn names_of(names: &[GeneralName<'_>]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn critical(critical: bool) -> &'static str {
    if critical { "critical " } else { "" }
}

#[test]
fn every_field_is_as_the_profile_says() {
    let (dir, _, authority) = world();
    authority.issue("auth", SERVICE_LIFE).unwrap();
    insta::assert_snapshot!(told(&dir.path().join("ca/root/current/certificate.pem")), @r#"
    "CN=platform.local root" for 157680060 s
      critical authority: true, authorities below: Some(1)
      critical usage: Key Cert Sign, CRL Sign, server and client: None
      names: URI(spiffe://platform.local)
      extensions: 2.5.29.35 2.5.29.17 2.5.29.15 2.5.29.14 2.5.29.19
    "#);
    insta::assert_snapshot!(told(&dir.path().join("auth/current/svid.pem")), @r#"
    "" for 86460 s
      critical authority: false, authorities below: None
      critical usage: Digital Signature, server and client: Some([true, true])
      critical names: URI(spiffe://platform.local/auth), DNSName(auth)
      extensions: 2.5.29.35 2.5.29.17 2.5.29.15 2.5.29.37 2.5.29.14 2.5.29.19
    "CN=platform.local issuer" for 7776060 s
      critical authority: true, authorities below: Some(0)
      critical usage: Key Cert Sign, CRL Sign, server and client: None
      names: URI(spiffe://platform.local)
      extensions: 2.5.29.35 2.5.29.17 2.5.29.15 2.5.29.14 2.5.29.19
    "#);
}

#[test]
fn only_the_owner_reads_anything() {
    let (dir, _, authority) = world();
    authority.issue("auth", SERVICE_LIFE).unwrap();
    let mut folders = vec![dir.path().join("ca"), dir.path().join("auth")];
    while let Some(folder) = folders.pop() {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true if entry.is_symlink() => {}
                true => folders.push(entry),
                false => assert_eq!(mode(&entry), 0o600, "{}", entry.display()),
            }
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn an_authority_is_never_overwritten() {
    let (dir, clock, authority) = world();
    drop(authority);
    let root = fs::read(dir.path().join("ca/root/current/key.pem")).unwrap();
    assert!(matches!(Authority::create(dir.path(), "other", &clock), Err(CertsError::Exists(_))));
    assert_eq!(fs::read(dir.path().join("ca/root/current/key.pem")).unwrap(), root);
}

#[test]
fn two_commands_do_not_work_in_one_folder() {
    let (dir, clock, _authority) = world();
    assert!(matches!(Authority::open(dir.path(), &clock), Err(CertsError::Busy(_))));
}

#[test]
fn a_key_that_others_may_read_signs_nothing() {
    let (dir, clock, authority) = world();
    drop(authority);
    let key = dir.path().join("ca/issuer/current/key.pem");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o604)).unwrap();
    let refusal = Authority::open(dir.path(), &clock).err().unwrap();
    assert!(refusal.to_string().contains("others may read this key"), "{refusal}");
}

#[test]
fn each_certificate_has_a_key_and_a_serial_of_its_own() {
    let (dir, _, authority) = world();
    let key = || fs::read(dir.path().join("auth/current/key.pem")).unwrap();
    let first = (authority.issue("auth", SERVICE_LIFE).unwrap().serial, key());
    let second = (authority.issue("auth", SERVICE_LIFE).unwrap().serial, key());
    assert!(first.0 != second.0 && first.1 != second.1);
}

#[test]
fn a_certificate_never_outlives_its_issuer() {
    let (dir, clock, authority) = world();
    clock.advance(DAY * 89);
    let svid = authority.issue("auth", DAY * 7).unwrap();
    assert_eq!(svid.not_after - clock.now(), TimeDelta::days(1));
    assert!(Identity::open(dir.path().join("auth"), clock.clone()).is_ok());
    clock.advance(Duration::from_mins(23 * 60 + 59));
    assert!(matches!(authority.issue("auth", DAY), Err(CertsError::IssuerEnds)));
}

#[test]
fn names_and_lives_out_of_bounds_are_refused() {
    let (_dir, _, authority) = world();
    for name in
        ["", "ca", "Auth", "a.b", "../auth", "a/b", "1a", "-a", "a-", "a_b", "lock\n", &"a".repeat(64)]
    {
        assert!(matches!(authority.issue(name, DAY), Err(CertsError::Name(_))), "{name:?} was taken");
    }
    for life in [Duration::from_secs(299), DAY * 7 + Duration::from_secs(1)] {
        assert!(matches!(authority.issue("auth", life), Err(CertsError::Life)));
    }
}

#[test]
fn a_trust_domain_out_of_bounds_is_refused_and_leaves_nothing() {
    let dir = TempDir::new().unwrap();
    assert!(Authority::create(dir.path(), "Platform:1", &Clock::system()).is_err());
    assert!(!Authority::exists(dir.path()));
}

#[test]
fn only_a_few_generations_are_kept() {
    let (dir, _, authority) = world();
    for _ in 0..6 {
        authority.issue("auth", SERVICE_LIFE).unwrap();
    }
    let mut kept: Vec<_> =
        fs::read_dir(dir.path().join("auth")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["current", "gen-000004", "gen-000005", "gen-000006"]);
}
