//! Runs commands one after another, and passes a signal on to the one that runs, so that its caller can
//! take down what it has started and end in order.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::Outcome;

/// Runs commands until a signal says that it is enough.
pub(crate) struct Runner(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    running: Option<Pid>,
    interrupted: bool,
}

impl Runner {
    /// Listens for signals from now on.
    pub(crate) fn start() -> Result<Runner, String> {
        let state = Arc::new(Mutex::new(State::default()));
        let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(|error| error.to_string())?;
        let seen = state.clone();
        std::thread::spawn(move || {
            for _ in signals.forever() {
                let mut state = lock(&seen);
                state.interrupted = true;
                state.end();
            }
        });
        Ok(Runner(state))
    }

    /// Runs a command to its end, its output shown; its failure needs no other words.
    pub(crate) fn run(&self, command: &mut Command) -> Outcome {
        let name = command.get_program().to_string_lossy().into_owned();
        // A group of its own: the terminal's interrupt reaches this program alone, which passes it on once.
        command.stdin(Stdio::null()).process_group(0);
        let mut child = {
            let mut state = lock(&self.0);
            if state.interrupted {
                return Err("interrupted".to_owned());
            }
            let child = command.spawn().map_err(|error| format!("`{name}` cannot be run: {error}"))?;
            state.running = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
            child
        };
        let status = child.wait();
        let mut state = lock(&self.0);
        state.running = None;
        match status {
            Ok(status) if status.success() => Ok(()),
            _ if state.interrupted => Err("interrupted".to_owned()),
            Ok(_) => Err(String::new()),
            Err(error) => Err(format!("`{name}`: {error}")),
        }
    }

    /// Runs `cargo` with arguments given as words.
    pub(crate) fn cargo(&self, arguments: &str) -> Outcome {
        self.run(Command::new("cargo").args(arguments.split_whitespace()))
    }
}

impl State {
    /// Asks the running command to end; one that has ended meanwhile needs no asking.
    fn end(&self) {
        if let Some(pid) = self.running {
            kill_process_group(pid, Signal::TERM).ok();
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tells which part of a command begins.
pub(crate) fn announce(part: &str) {
    eprintln!("── {part}");
}
