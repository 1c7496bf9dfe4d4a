//! `cargo xtask test`: everything a change must pass, in the order in which a fault shows soonest.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use testkit::postgres::{ADMIN_URL, Server};

use crate::runner::{Runner, announce};
use crate::{Outcome, install, lint};

/// Lints, builds, and runs the tests; `arguments` go to nextest, whose summary is the last that is said.
pub(crate) fn run(runner: &Runner, arguments: &[String]) -> Outcome {
    install::servers(runner)?;
    install::nextest(runner)?;
    lint::run(runner)?;

    announce("build");
    // Tests and binaries in one go: features are resolved once, and tests find the binaries they start.
    runner.cargo("build --workspace --bins --tests --quiet")?;

    announce("test");
    // Every other server belongs to the test that starts it; a database is enough to share this one.
    let server = Server::start();
    // A test that is killed cannot tidy up; PostgreSQL's own user has to reach what lies in here.
    let folder = tempfile::Builder::new()
        .prefix("platform-tests-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()
        .map_err(|error| error.to_string())?;
    let mut nextest = Command::new("cargo");
    nextest.args(["nextest", "run"]).args(arguments);
    nextest.env(ADMIN_URL, server.url()).env("TMPDIR", folder.path());
    if !arguments.iter().any(|argument| argument.starts_with("-p") || argument.starts_with("--package")) {
        nextest.arg("--workspace");
    }
    runner.run(&mut nextest)
}
