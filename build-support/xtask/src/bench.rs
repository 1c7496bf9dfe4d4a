//! `cargo xtask bench`: the benchmark report, in release; what is measured is the crate `bench`'s affair.

use std::process::Command;

use crate::runner::{Runner, announce};
use crate::{Outcome, install};

pub(crate) fn run(runner: &Runner, arguments: &[String]) -> Outcome {
    install::servers(runner)?;
    announce("build");
    runner.cargo("build --release --bins -p bench -p platform -p gateway -p auth -p notify")?;
    announce("bench");
    runner.run(Command::new("target/release/bench").args(arguments))
}
