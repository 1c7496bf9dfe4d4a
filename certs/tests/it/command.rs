//! The command as it is typed.

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use certs::dev;
use chassis::Clock;
use tempfile::TempDir;

fn certs(dir: &Path, words: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_certs")).args(words.split(' ')).arg("--dir").arg(dir).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Certificates as a platform made them some time ago.
fn made_ago(ago: Duration) -> TempDir {
    let dir = TempDir::new().unwrap();
    let clock = Clock::manual(Clock::system().now() - ago);
    dev::ensure(dir.path(), &["auth"], &clock).unwrap();
    dir
}

#[test]
fn an_authority_is_made_and_issues_and_all_is_well() {
    let dir = TempDir::new().unwrap();
    assert!(certs(dir.path(), "init --trust-domain example.org").status.success());
    let issued = certs(dir.path(), "issue auth --ttl 1h");
    assert!(said(&issued).starts_with("spiffe://example.org/auth until "), "{}", said(&issued));
    assert!(certs(dir.path(), "issue cart").status.success());
    let status = certs(dir.path(), "status");
    assert!(status.status.success(), "{}", said(&status));
    assert_eq!(
        said(&status).lines().map(|line| line.split_whitespace().nth(1).unwrap()).collect::<Vec<_>>(),
        ["fine"; 4]
    );
}

#[test]
fn a_second_init_is_refused() {
    let dir = TempDir::new().unwrap();
    assert!(certs(dir.path(), "init").status.success());
    let again = certs(dir.path(), "init");
    assert!(!again.status.success() && said(&again).contains("there is an authority already"));
}

#[test]
fn the_data_folder_says_where_identities_lie() {
    let data = TempDir::new().unwrap();
    let init =
        Command::new(env!("CARGO_BIN_EXE_certs")).arg("init").env("PLATFORM_DATA_DIR", data.path()).output();
    assert!(init.unwrap().status.success());
    assert!(data.path().join("mesh/ca/root/current/certificate.pem").exists());
}

#[test]
fn status_fails_once_a_service_should_have_been_renewed() {
    let dir = made_ago(Duration::from_hours(15));
    let status = certs(dir.path(), "status --json");
    assert!(!status.status.success());
    let report: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    let told: Vec<_> =
        report["certificates"].as_array().unwrap().iter().map(|entry| entry["state"].clone()).collect();
    assert_eq!(told, ["fine", "fine", "overdue"]);
}

#[test]
fn status_fails_where_an_issuer_ends_within_the_window() {
    let dir = TempDir::new().unwrap();
    assert!(certs(dir.path(), "init").status.success());
    assert!(certs(dir.path(), "status").status.success());
    let status = certs(dir.path(), "status --fail-within 91d");
    assert!(!status.status.success() && said(&status).contains("ending"), "{}", said(&status));
}

#[test]
fn status_fails_where_there_is_nothing() {
    let dir = TempDir::new().unwrap();
    let status = certs(dir.path(), "status");
    assert!(!status.status.success() && said(&status).contains("broken"), "{}", said(&status));
}
