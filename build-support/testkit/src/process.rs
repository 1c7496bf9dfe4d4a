//! Server processes: started on a free port, paused, ended; what a server says to its clients is not known here.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a server may take to say that it is ready, and to end when asked.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(10);
/// Another process may take a free port between the look and the use.
const PORTS_TRIED: u32 = 5;

/// How a server is started.
pub(crate) struct Recipe {
    /// The name in messages.
    pub(crate) name: &'static str,
    /// What its log says once it takes connections.
    pub(crate) ready: &'static str,
    /// What asks it to end without delay.
    pub(crate) farewell: Signal,
    /// The command line for a port and the folder it may write to.
    pub(crate) command: Box<CommandLine>,
}

type CommandLine = dyn Fn(u16, &Path) -> Command + Send + Sync;

/// A running server and its folder; both end with the value.
pub(crate) struct Process {
    recipe: Recipe,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Process {
    /// Starts the server in `folder` on a free loopback port and waits until it is ready.
    pub(crate) fn start(recipe: Recipe, folder: TempDir) -> Process {
        let mut process = Process { recipe, folder, port: 0, child: None };
        let mut last = String::new();
        for _ in 0..PORTS_TRIED {
            process.port = free_port();
            match process.launch() {
                Ok(()) => return process,
                Err(reason) => last = reason,
            }
        }
        panic!("{} does not start: {last}", process.recipe.name);
    }

    /// The loopback port it listens on; a restart keeps it.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The folder it may write to.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the server again after [`stop`](Process::stop), on its port and in its folder.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.launch().unwrap_or_else(|reason| panic!("{} does not start again: {reason}", self.recipe.name));
    }

    /// Ends the server: asked first, killed when it does not listen.
    pub(crate) fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        for pid in family(child.id()) {
            send(pid, Signal::CONT);
        }
        send(child.id(), self.recipe.farewell);
        let until = Instant::now() + PATIENCE;
        while matches!(child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                drop(child.kill());
            }
            glance();
        }
    }

    /// Kills the server where it stands, as a crash would.
    pub(crate) fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let members = family(child.id());
        for &pid in &members {
            send(pid, Signal::KILL);
        }
        child.wait().expect("a killed child is waited for");
        // A server that starts again may find memory that the last of its children still holds.
        let until = Instant::now() + PATIENCE;
        while members.iter().any(|&pid| lives(pid)) && Instant::now() < until {
            glance();
        }
    }

    /// Stops the server's clock: connections stay open and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal_all(Signal::STOP);
    }

    /// Lets a paused server go on.
    pub(crate) fn resume(&self) {
        self.signal_all(Signal::CONT);
    }

    /// A parent goes first, so that it cannot have more children meanwhile.
    fn signal_all(&self, signal: Signal) {
        let child = self.child.as_ref().expect("the server is running");
        send(child.id(), signal);
        for pid in family(child.id()) {
            send(pid, signal);
        }
    }

    fn launch(&mut self) -> Result<(), String> {
        let path = self.folder.path().join("server.log");
        let log = File::create(&path).expect("the server's folder takes its log");
        let errors = log.try_clone().expect("a file handle can be doubled");
        let child = (self.recipe.command)(self.port, self.folder.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| error.to_string())?;
        let child = self.child.insert(child);
        let until = Instant::now() + PATIENCE;
        loop {
            let said = fs::read_to_string(&path).unwrap_or_default();
            if said.contains(self.recipe.ready) {
                return Ok(());
            }
            let gone = !matches!(child.try_wait(), Ok(None));
            if gone || Instant::now() > until {
                self.kill();
                return Err(said);
            }
            glance();
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A folder of its own for one server.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("platform-test-").tempdir().expect("the temporary folder can be written")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// A process and all that descend from it, the oldest first.
fn family(pid: u32) -> Vec<u32> {
    let mut members = vec![pid];
    let mut next = 0;
    while let Some(&parent) = members.get(next) {
        let children = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
        members.extend(children.unwrap_or_default().split_whitespace().flat_map(str::parse::<u32>));
        next += 1;
    }
    members
}

/// Whether a process still holds anything: one that only waits for its parent to look does not.
fn lives(pid: u32) -> bool {
    state(pid).is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The letter the kernel shows for a process; none for one that is gone.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// A process that has gone meanwhile needs no signal.
fn send(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        kill_process(pid, signal).ok();
    }
}

#[expect(clippy::disallowed_methods, reason = "a server's log has no other way to say that it grew")]
fn glance() {
    std::thread::sleep(GLANCE);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits until each process is, or is not, in the state of the stopped.
    fn wait_until(stopped: bool, members: &[u32]) {
        let until = Instant::now() + PATIENCE;
        while !members.iter().all(|&pid| (state(pid) == Some('T')) == stopped) {
            assert!(Instant::now() < until, "stopped: {stopped}");
            glance();
        }
    }

    #[test]
    fn a_pause_stops_the_children_too_and_the_end_takes_them_along() {
        let command = |_: u16, _: &Path| {
            let mut command = Command::new("sh");
            command.args(["-c", "sleep 600 & echo ready; wait"]);
            command
        };
        let recipe =
            Recipe { name: "sh", ready: "ready", farewell: Signal::TERM, command: Box::new(command) };
        let mut process = Process::start(recipe, folder());
        let members = family(process.child.as_ref().unwrap().id());
        assert_eq!(members.len(), 2);

        process.pause();
        wait_until(true, &members);
        process.resume();
        wait_until(false, &members);
        process.kill();
        assert!(!members.iter().any(|&pid| lives(pid)));
    }
}
