//! What the tests need beside Rust: found, or installed where this machine allows it, or named in an error.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::geteuid;
use testkit::program;

use crate::Outcome;
use crate::runner::{Runner, announce};

/// A program and the Debian package that brings it.
struct Tool {
    program: &'static str,
    package: &'static str,
}

const SERVERS: &[Tool] = &[
    Tool { program: "postgres", package: "postgresql" },
    Tool { program: "psql", package: "postgresql-client" },
    Tool { program: "redis-server", package: "redis-server" },
    Tool { program: "nats-server", package: "nats-server" },
];
const NODE: &[Tool] = &[Tool { program: "node", package: "nodejs" }, Tool { program: "npm", package: "npm" }];

const NEXTEST: &str = "0.9.143";
const BUF: &str = "1.75.0";
/// Tools from the language registries; `target/` is never committed.
const TOOLS: &str = "target/tools";

/// PostgreSQL, Redis and NATS: tests start servers of their own from them.
pub(crate) fn servers(runner: &Runner) -> Outcome {
    packages(runner, SERVERS)
}

/// The test runner.
pub(crate) fn nextest(runner: &Runner) -> Outcome {
    if works(Command::new("cargo").args(["nextest", "--version"])) {
        return Ok(());
    }
    announce("installing cargo-nextest");
    let install = format!("install cargo-nextest --locked --version {NEXTEST}");
    runner.cargo(&install).map_err(|_| format!("`cargo {install}` failed; the tests need it"))
}

/// The linter of the contracts; where it is.
pub(crate) fn buf(runner: &Runner) -> Result<PathBuf, String> {
    let program = Path::new(TOOLS).join("node_modules/.bin/buf");
    if is_version(&program, BUF) {
        return Ok(program);
    }
    packages(runner, NODE)?;
    announce("installing buf");
    let package = format!("@bufbuild/buf@{BUF}");
    let mut npm = Command::new("npm");
    npm.args(["install", "--prefix", TOOLS, "--no-save", "--no-audit", "--no-fund", &package]);
    runner
        .run(&mut npm)
        .map_err(|_| format!("npm cannot install {package}; the contracts' lint needs it"))?;
    Ok(program)
}

/// Installs the packages of the tools that are missing.
fn packages(runner: &Runner, tools: &[Tool]) -> Outcome {
    let missing: Vec<&Tool> = tools.iter().filter(|tool| program::find(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|tool| tool.package).collect();
    let names = names.join(" ");
    if !geteuid().is_root() || program::find("apt-get").is_none() {
        return Err(format!("not installed: {names}. On Debian: sudo apt-get install {names}"));
    }
    announce(&format!("installing {names}"));
    let failed = |_| format!("apt-get cannot install {names}; the tests need it");
    runner.run(&mut apt("update")).map_err(failed)?;
    let mut install = apt("install");
    install.args(["--yes", "--no-install-recommends"]).args(names.split(' '));
    runner.run(&mut install).map_err(failed)?;
    match tools.iter().find(|tool| program::find(tool.program).is_none()) {
        Some(tool) => {
            Err(format!("the package {} is installed and brings no `{}`", tool.package, tool.program))
        }
        None => Ok(()),
    }
}

fn apt(verb: &str) -> Command {
    let mut command = Command::new("apt-get");
    // Asks nothing, and starts none of the servers it brings: to Debian's scripts, the machine is in rescue mode.
    command.envs([("DEBIAN_FRONTEND", "noninteractive"), ("RUNLEVEL", "1")]).args([
        "-qq",
        "-o=Dpkg::Use-Pty=0",
        verb,
    ]);
    command
}

fn works(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn is_version(program: &Path, version: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    asked.is_ok_and(|asked| String::from_utf8_lossy(&asked.stdout).trim() == version)
}
