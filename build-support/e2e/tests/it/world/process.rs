//! A process of the platform: found beside the tests, started with settings of its own and nobody else's,
//! killed, asked to end, and listened to.

use std::cell::RefCell;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::eventually;

/// How much of a log is shown.
const LAST_LINES: usize = 60;

/// A process; it ends with the world.
pub(crate) struct Process {
    name: &'static str,
    settings: Vec<(String, String)>,
    log: PathBuf,
    child: RefCell<Child>,
}

impl Process {
    /// Starts the program `name`; what it says goes to the file `log`.
    pub(crate) fn start(name: &'static str, settings: &[(String, String)], log: PathBuf) -> Process {
        let child = RefCell::new(spawn(name, settings, &log));
        Process { name, settings: settings.to_vec(), log, child }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Kills it where it stands, as a crash would.
    pub(crate) fn kill(&self) {
        let mut child = self.child.borrow_mut();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts it again, with the settings it had.
    pub(crate) fn start_again(&self) {
        assert!(self.has_ended(), "`{}` is still running", self.name);
        *self.child.borrow_mut() = spawn(self.name, &self.settings, &self.log);
    }

    /// Asks it to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Freezes it: its connections stay open and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.borrow().id()).ok().and_then(Pid::from_raw).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for its end.
    pub(crate) async fn ends(&self, within: Duration) -> ExitStatus {
        let what = format!("`{}` ends", self.name);
        eventually(&what, within, async || self.child.borrow_mut().try_wait().unwrap()).await
    }

    /// Whether it runs no more, for whatever reason.
    pub(crate) fn has_ended(&self) -> bool {
        self.child.borrow_mut().try_wait().unwrap().is_some()
    }

    /// What it has said.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// The end of what it has said.
    pub(crate) fn last_words(&self) -> String {
        let said = self.said();
        let lines: Vec<&str> = said.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

fn spawn(name: &str, settings: &[(String, String)], log: &Path) -> Child {
    let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
    Command::new(program(name))
        .env_clear()
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("`{name}` does not start: {error}"))
}

/// The program beside this test: `target/debug/deps/it-…` and `target/debug/platform`.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join(name);
    assert!(
        program.is_file(),
        "{} is not built: run the tests with `cargo xtask test`, or `cargo build --workspace --bins` first",
        program.display()
    );
    program
}
