//! How long everything lasts: what is near its end, and what should have been renewed by now.

use std::fmt;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chassis::Clock;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use mesh::Svid;
use mesh::identity::{CURRENT, SVID_FILE};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;

use crate::CertsError;
use crate::authority::{AUTHORITY, CERTIFICATE_FILE, ISSUER, ROOT, UNFINISHED};
use crate::facts::{Facts, unlike};

/// All certificates of a folder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Root, issuer, then services by name.
    pub certificates: Vec<Entry>,
}

/// One certificate.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// `root`, `issuer`, or the service's name.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// The serial number, where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When it ends, where it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends: Option<DateTime<Utc>>,
    /// What is wrong, where it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// How a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// Nothing is to be done.
    Fine,
    /// A service's certificate that should have been renewed.
    Overdue,
    /// A root or issuer that ends within the window.
    Ending,
    /// It is over.
    Ended,
    /// It cannot be read.
    Broken,
}

impl Report {
    /// Looks at everything below `dir`. Roots and issuers are `Ending` where they end within `window`.
    pub fn of(dir: &Path, window: Duration, clock: &Clock) -> Result<Self, CertsError> {
        let (now, window) = (clock.now(), TimeDelta::from_std(window).unwrap_or(TimeDelta::MAX));
        let mut certificates: Vec<Entry> =
            [ROOT, ISSUER].map(|kind| authority(&dir.join(AUTHORITY).join(kind), kind, now, window)).into();
        let mut services = services(dir)?;
        services.sort_unstable();
        certificates.extend(services.iter().map(|name| service(dir, name, now)));
        Ok(Self { certificates })
    }

    /// Whether nothing is to be done.
    pub fn is_fine(&self) -> bool {
        self.certificates.iter().all(|entry| entry.state == State::Fine)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for entry in &self.certificates {
            let ends = entry
                .ends
                .map_or_else(|| "-".to_owned(), |ends| ends.to_rfc3339_opts(SecondsFormat::Secs, true));
            let fault = entry.fault.as_deref().unwrap_or_default();
            let state = format!("{:?}", entry.state).to_lowercase();
            writeln!(f, "{}", format!("{:<20} {state:<8} {ends:<20} {fault}", entry.name).trim_end())?;
        }
        Ok(())
    }
}

/// When a service's certificate is to be renewed: at half of its life.
pub(crate) fn renewal(svid: &Svid) -> DateTime<Utc> {
    svid.not_before + (svid.not_after - svid.not_before) / 2
}

/// Past this nobody renewed it in time: half of its life and a tenth for jitter and retries.
fn overdue(svid: &Svid) -> DateTime<Utc> {
    svid.not_before + (svid.not_after - svid.not_before) * 3 / 5
}

fn authority(home: &Path, kind: &str, now: DateTime<Utc>, window: TimeDelta) -> Entry {
    let path = home.join(CURRENT).join(CERTIFICATE_FILE);
    let facts = fs::read_to_string(&path)
        .map_err(CertsError::at(&path))
        .and_then(|pem| Facts::of_authority(&pem, &path));
    let state = |ends| match ends {
        ends if ends <= now => State::Ended,
        ends if ends - now <= window => State::Ending,
        _ => State::Fine,
    };
    match facts {
        Ok(facts) => entry(kind, state(facts.not_after), facts.serial, facts.not_after),
        Err(error) => broken(kind, &error),
    }
}

fn service(dir: &Path, name: &str, now: DateTime<Utc>) -> Entry {
    let path = dir.join(name).join(CURRENT).join(SVID_FILE);
    let svid = leaf(&path).and_then(|leaf| Ok(Svid::parse(&leaf)?));
    match svid {
        Ok(svid) => {
            let state = match now {
                now if now >= svid.not_after => State::Ended,
                now if now >= overdue(&svid) => State::Overdue,
                _ => State::Fine,
            };
            entry(name, state, svid.serial, svid.not_after)
        }
        Err(error) => broken(name, &error),
    }
}

fn entry(name: &str, state: State, serial: String, ends: DateTime<Utc>) -> Entry {
    Entry { name: name.to_owned(), state, serial: Some(serial), ends: Some(ends), fault: None }
}

fn broken(name: &str, error: &CertsError) -> Entry {
    Entry {
        name: name.to_owned(),
        state: State::Broken,
        serial: None,
        ends: None,
        fault: Some(error.to_string()),
    }
}

/// Every folder beside the authority's is a service's.
fn services(dir: &Path) -> Result<Vec<String>, CertsError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).map_err(CertsError::at(dir))? {
        let entry = entry.map_err(CertsError::at(dir))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && name != AUTHORITY && name != UNFINISHED {
            found.push(name);
        }
    }
    Ok(found)
}

fn leaf(path: &Path) -> Result<CertificateDer<'static>, CertsError> {
    let text = fs::read(path).map_err(CertsError::at(path))?;
    CertificateDer::from_pem_slice(&text).map_err(|error| unlike(path, error.to_string()))
}
