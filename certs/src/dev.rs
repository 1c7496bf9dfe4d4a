//! Identities for development: made where they are missing, renewed where they are due, with nobody
//! asked. A real deployment issues them by command and keeps the root's key elsewhere.

use std::path::Path;
use std::time::Duration;

use chassis::Clock;
use mesh::identity::{self, CURRENT};
use mesh::spiffe::DEFAULT_TRUST_DOMAIN;

use crate::authority::{Authority, Renewal, SERVICE_LIFE};
use crate::{CertsError, status};

/// How often to call [`ensure`] while a platform runs: often enough to renew at half of a life of 24 h.
pub const INTERVAL: Duration = Duration::from_mins(10);

/// Makes an authority below `dir` where there is none, and sees to it that each of `services` has an
/// identity with at least half of its life left; how many certificates were made. Repeating it is
/// safe. It touches files and keys: call it where blocking for some milliseconds is allowed.
pub fn ensure(dir: &Path, services: &[&str], clock: &Clock) -> Result<usize, CertsError> {
    let authority = if Authority::exists(dir) {
        Authority::open(dir, clock)?
    } else {
        Authority::create(dir, DEFAULT_TRUST_DOMAIN, clock)?
    };
    let (authority, renewal) = authority.renew_issuer()?;
    let mut made = usize::from(renewal == Renewal::Renewed);
    for service in services {
        if is_due(&dir.join(service), clock) {
            authority.issue(service, SERVICE_LIFE)?;
            made += 1;
        }
    }
    Ok(made)
}

/// An identity that cannot be used is due whatever the reason: a new one mends it.
fn is_due(service: &Path, clock: &Clock) -> bool {
    identity::check(&service.join(CURRENT), clock).map_or(true, |svid| clock.now() >= status::renewal(&svid))
}
