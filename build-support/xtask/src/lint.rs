//! `cargo xtask lint`: what can be judged without running the program.

use std::process::Command;

use crate::runner::{Runner, announce};
use crate::{Outcome, install, tidy};

pub(crate) fn run(runner: &Runner) -> Outcome {
    announce("tidy");
    tidy::run()?;
    announce("format");
    runner.cargo("fmt --all --check")?;
    announce("contracts");
    let buf = install::buf(runner)?;
    runner.run(Command::new(buf).args(["lint", "proto"]))?;
    announce("crypto");
    one_provider()?;
    announce("clippy");
    runner.cargo("clippy --workspace --all-targets --quiet -- -D warnings")
}

/// One cryptographic library serves the whole house; a dependency's default features may bring a second.
fn one_provider() -> Outcome {
    let tree = Command::new("cargo").args(["tree", "--workspace", "--invert", "ring"]).output();
    let tree = tree.map_err(|error| format!("cargo tree: {error}"))?;
    if tree.stdout.is_empty() {
        return Ok(());
    }
    Err(format!("`ring` came in beside aws-lc-rs:\n{}", String::from_utf8_lossy(&tree.stdout)))
}
