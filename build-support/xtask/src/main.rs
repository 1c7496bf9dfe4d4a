//! `cargo xtask`: the table of the workspace's own commands.

mod bench;
mod docs;
mod install;
mod lint;
mod runner;
mod test;
mod tidy;
mod tree;

use std::path::Path;
use std::process::ExitCode;

use runner::Runner;

/// Why a command failed, for the one who ran it; empty where the output has said it already.
type Outcome = Result<(), String>;

const USAGE: &str = "\
cargo xtask <command>

  test [-- nextest arguments]   everything a change must pass
  lint                          tidy, format, contracts, clippy
  tidy                          the house rules that no other tool knows
  docs                          writes the tables that are made from contracts and default files
  bench [arguments]             the benchmark report, in release
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            if !reason.is_empty() {
                eprintln!("error: {reason}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::set_current_dir(&root).map_err(|error| format!("{}: {error}", root.display()))?;
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let command = if arguments.is_empty() { String::new() } else { arguments.remove(0) };
    if arguments.first().is_some_and(|first| first == "--") {
        arguments.remove(0);
    }
    match command.as_str() {
        "test" => test::run(&Runner::start()?, &arguments),
        "lint" => lint::run(&Runner::start()?),
        "tidy" => tidy::run(),
        "docs" => docs::run(),
        "bench" => bench::run(&Runner::start()?, &arguments),
        _ => Err(format!("no such command: `{command}`\n\n{USAGE}")),
    }
}
