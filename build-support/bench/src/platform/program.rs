//! One program that is started, waited for, and killed: nothing of a benchmark is worth an orderly end.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time;

use crate::Failure;
use crate::wire::{self, Connection};

/// How long a program may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(20);
/// What is shown of the log of a program that did not get ready, in bytes.
const LAST_WORDS: usize = 2_000;

/// A running program; it ends with the value.
pub struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program with these settings and no others; what it says goes to a file in `folder`.
    pub fn start(binary: &Path, settings: Vec<(String, String)>, folder: &Path) -> Result<Self, Failure> {
        let name = binary.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let log = folder.join(format!("{name}.log"));
        let file = File::create(&log)?;
        let child = Command::new(binary)
            .env_clear()
            .envs(settings)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .map_err(|error| format!("{}: {error}", binary.display()))?;
        Ok(Self { name, child, log })
    }

    /// Waits until its operations port says that it is ready.
    pub async fn wait_until_ready(&mut self, ops: SocketAddr) -> Result<(), Failure> {
        let asked = async {
            let mut glance = time::interval(GLANCE);
            loop {
                glance.tick().await;
                if self.child.try_wait()?.is_some() {
                    return Err("it ended".into());
                }
                if is_ready(ops).await {
                    return Ok(());
                }
            }
        };
        let ready = time::timeout(PATIENCE, asked).await;
        let ready: Result<(), Failure> = ready.unwrap_or_else(|_| Err("it took too long".into()));
        ready
            .map_err(|reason| format!("{} does not start: {reason}\n{}", self.name, self.last_words()).into())
    }

    fn last_words(&self) -> String {
        let said = fs::read(&self.log).unwrap_or_default();
        let from = said.len().saturating_sub(LAST_WORDS);
        String::from_utf8_lossy(said.get(from..).unwrap_or_default()).into_owned()
    }
}

async fn is_ready(ops: SocketAddr) -> bool {
    let Ok(mut connection) = Connection::open(ops).await else { return false };
    connection.exchange(&wire::get("/readyz", &[])).await.is_ok_and(|answer| answer.status == 200)
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
