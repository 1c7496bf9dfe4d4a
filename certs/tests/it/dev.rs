//! Development identities: made once, renewed when due, mended when broken.

use std::fs;
use std::path::Path;
use std::time::Duration;

use certs::dev;
use chassis::Clock;
use chrono::DateTime;
use mesh::Identity;
use tempfile::TempDir;

const SERVICES: [&str; 3] = ["gateway", "auth", "notify"];
const HOUR: Duration = Duration::from_hours(1);

fn world() -> (TempDir, Clock) {
    (TempDir::new().unwrap(), Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap()))
}

fn serial(dir: &Path, clock: &Clock) -> String {
    Identity::open(dir.join("auth"), clock.clone()).unwrap().svid().serial
}

#[test]
fn the_first_start_makes_everything_and_the_second_nothing() {
    let (dir, clock) = world();
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 3);
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 0);
    for name in SERVICES {
        let identity = Identity::open(dir.path().join(name), clock.clone()).unwrap();
        assert_eq!(identity.id().as_str(), format!("spiffe://platform.local/{name}"));
    }
}

#[test]
fn identities_are_renewed_at_half_of_their_life() {
    let (dir, clock) = world();
    dev::ensure(dir.path(), &SERVICES, &clock).unwrap();
    let first = serial(dir.path(), &clock);
    clock.advance(HOUR * 11);
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 0);
    clock.advance(HOUR);
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 3);
    assert_ne!(serial(dir.path(), &clock), first);
}

#[test]
fn a_platform_that_slept_for_months_starts_again_under_the_same_root() {
    let (dir, clock) = world();
    dev::ensure(dir.path(), &SERVICES, &clock).unwrap();
    let bundle = || fs::read(dir.path().join("auth/current/bundle.pem")).unwrap();
    let first = bundle();
    clock.advance(HOUR * 24 * 200);
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 4);
    serial(dir.path(), &clock);
    assert_eq!(bundle(), first);
}

#[test]
fn a_broken_identity_is_mended() {
    let (dir, clock) = world();
    dev::ensure(dir.path(), &SERVICES, &clock).unwrap();
    fs::remove_file(dir.path().join("auth/current/key.pem")).unwrap();
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 1);
    serial(dir.path(), &clock);
}

#[test]
fn a_start_that_was_cut_short_is_begun_anew() {
    let (dir, clock) = world();
    fs::create_dir_all(dir.path().join("ca.new/root/gen-000001")).unwrap();
    assert_eq!(dev::ensure(dir.path(), &SERVICES, &clock).unwrap(), 3);
}
