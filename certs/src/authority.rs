//! The authority of a mesh: a root that signs issuers and an issuer that signs services. Signing
//! services needs the issuer's key only; the root's may be taken away and kept offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::{Clock, Ids};
use chrono::{DateTime, TimeDelta, Utc};
use mesh::identity::{self, BUNDLE_FILE, CURRENT, KEY_FILE, SVID_FILE};
use mesh::{SpiffeId, Svid, spiffe};
use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P256_SHA256};

use crate::CertsError;
use crate::facts::Facts;
use crate::folder::{self, Lock};
use crate::profile::{self, ISSUER_LIFE, Life, ROOT_LIFE};

/// How long a service's certificate lives where nobody says.
pub const SERVICE_LIFE: Duration = Duration::from_hours(24);
const SERVICE_LIFE_MIN: Duration = Duration::from_mins(5);
const SERVICE_LIFE_MAX: Duration = Duration::from_hours(7 * 24);

/// Where the authority lies below the folder of all identities.
pub(crate) const AUTHORITY: &str = "ca";
/// Where it is put together first.
pub(crate) const UNFINISHED: &str = "ca.new";
pub(crate) const ROOT: &str = "root";
pub(crate) const ISSUER: &str = "issuer";
pub(crate) const CERTIFICATE_FILE: &str = "certificate.pem";

/// An authority, ready to sign services. It holds the folder's lock.
pub struct Authority {
    dir: PathBuf,
    clock: Clock,
    ids: Ids,
    trust_domain: String,
    issuer: Issuer<'static, KeyPair>,
    issuer_pem: String,
    issuer_ends: DateTime<Utc>,
    bundle: String,
    _lock: Lock,
}

impl Authority {
    /// Makes a root and an issuer for `trust_domain` below `dir`. There must be none.
    pub fn create(dir: &Path, trust_domain: &str, clock: &Clock) -> Result<Self, CertsError> {
        spiffe::check_trust_domain(trust_domain)?;
        let lock = Lock::take(dir)?;
        let (home, unfinished) = (dir.join(AUTHORITY), dir.join(UNFINISHED));
        if home.exists() {
            return Err(CertsError::Exists(home));
        }
        // Left behind where an earlier command was cut short; nothing was ever signed with it.
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished).map_err(CertsError::at(&unfinished))?;
        }
        let (ids, now) = (Ids::random(), clock.now());
        let key = new_key()?;
        let params = profile::root(trust_domain, Life::until(now + ROOT_LIFE, now), &ids)?;
        let root = params.self_signed(&key)?.pem();
        publish(&unfinished.join(ROOT), &root, &key)?;
        sign_issuer(&unfinished, &Issuer::new(params, key), trust_domain, now + ISSUER_LIFE, now)?;
        folder::rename(&unfinished, &home)?;
        Self::load(dir, clock, lock)
    }

    /// Opens the authority below `dir`. Others must not be able to read its keys.
    pub fn open(dir: &Path, clock: &Clock) -> Result<Self, CertsError> {
        let lock = Lock::take(dir)?;
        Self::load(dir, clock, lock)
    }

    /// Whether there is an authority below `dir`.
    pub fn exists(dir: &Path) -> bool {
        dir.join(AUTHORITY).exists()
    }

    /// Issues a new certificate with a new key to the service `name`, for `life` or until the issuer
    /// ends. It is checked as the service would check it before it becomes the current one.
    pub fn issue(&self, name: &str, life: Duration) -> Result<Svid, CertsError> {
        check_name(name)?;
        let now = self.clock.now();
        let ends = (now + bounded(life)?).min(self.issuer_ends);
        if ends - now < bounded(SERVICE_LIFE_MIN)? {
            return Err(CertsError::IssuerEnds);
        }
        let key = new_key()?;
        let id = SpiffeId::new(&self.trust_domain, name)?;
        let params = profile::service(&id, Life::until(ends, now), &self.ids)?;
        let chain = params.signed_by(&key, &self.issuer)?.pem() + &self.issuer_pem;
        let files =
            [(SVID_FILE, chain.as_str()), (KEY_FILE, &key.serialize_pem()), (BUNDLE_FILE, &self.bundle)];
        let mut issued = None;
        folder::publish(&self.dir.join(name), &files, |folder| {
            issued = Some(identity::check(folder, &self.clock)?);
            Ok(())
        })?;
        issued.ok_or(CertsError::Life)
    }

    /// Makes a new issuer under the same root where half of the present one's life is over; whether it
    /// was. Needs the root's key.
    pub fn renew_issuer(self) -> Result<(Self, Renewal), CertsError> {
        let now = self.clock.now();
        if now < self.issuer_ends - ISSUER_LIFE / 2 {
            return Ok((self, Renewal::NotDue));
        }
        let home = self.dir.join(AUTHORITY);
        let (root_pem, root) = read_signer(&home.join(ROOT).join(CURRENT))?;
        let ends = (now + ISSUER_LIFE).min(Facts::of_authority(&root_pem, &home)?.not_after);
        sign_issuer(&home, &root, &self.trust_domain, ends, now)?;
        let Self { dir, clock, _lock: lock, .. } = self;
        Ok((Self::load(&dir, &clock, lock)?, Renewal::Renewed))
    }

    /// The trust domain it signs for.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    fn load(dir: &Path, clock: &Clock, lock: Lock) -> Result<Self, CertsError> {
        let home = dir.join(AUTHORITY);
        let bundle = read(&home.join(ROOT).join(CURRENT).join(CERTIFICATE_FILE))?;
        let folder = home.join(ISSUER).join(CURRENT);
        let (issuer_pem, issuer) = read_signer(&folder)?;
        let facts = Facts::of_authority(&issuer_pem, &folder)?;
        Ok(Self {
            dir: dir.to_owned(),
            clock: clock.clone(),
            ids: Ids::random(),
            trust_domain: facts.trust_domain,
            issuer,
            issuer_pem,
            issuer_ends: facts.not_after,
            bundle,
            _lock: lock,
        })
    }
}

/// What became of an issuer whose renewal was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Less than half of its life is over.
    NotDue,
    /// There is a new one.
    Renewed,
}

fn sign_issuer(
    home: &Path,
    root: &Issuer<'_, KeyPair>,
    trust_domain: &str,
    ends: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), CertsError> {
    let key = new_key()?;
    let params = profile::issuer(trust_domain, Life::until(ends, now), &Ids::random())?;
    publish(&home.join(ISSUER), &params.signed_by(&key, root)?.pem(), &key)
}

fn publish(dir: &Path, certificate: &str, key: &KeyPair) -> Result<(), CertsError> {
    folder::publish(dir, &[(CERTIFICATE_FILE, certificate), (KEY_FILE, &key.serialize_pem())], |_| Ok(()))
}

fn read_signer(folder: &Path) -> Result<(String, Issuer<'static, KeyPair>), CertsError> {
    let pem = read(&folder.join(CERTIFICATE_FILE))?;
    let key = KeyPair::from_pem(&identity::read_secret(&folder.join(KEY_FILE))?)?;
    let signer = Issuer::from_ca_cert_pem(&pem, key)?;
    Ok((pem, signer))
}

fn read(path: &Path) -> Result<String, CertsError> {
    fs::read_to_string(path).map_err(CertsError::at(path))
}

fn new_key() -> Result<KeyPair, CertsError> {
    Ok(KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?)
}

fn bounded(life: Duration) -> Result<TimeDelta, CertsError> {
    if !(SERVICE_LIFE_MIN..=SERVICE_LIFE_MAX).contains(&life) {
        return Err(CertsError::Life);
    }
    TimeDelta::from_std(life).map_err(|_| CertsError::Life)
}

/// A service's name is also a DNS label and a folder.
fn check_name(name: &str) -> Result<(), CertsError> {
    let spelled = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let well_formed = (1..=63).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.bytes().all(spelled);
    if !well_formed || name == AUTHORITY {
        return Err(CertsError::Name(name.to_owned()));
    }
    Ok(())
}
