//! The call policy: which identity may call which method, everything else refused. It knows nothing of
//! users; their rights are judged by passports and by the services.

mod file;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use chassis::{Lifecycle, Wake};
use prost_reflect::DescriptorPool;

use crate::{MeshError, SpiffeId};
use table::Table;

const POLL: Duration = Duration::from_secs(5);

/// Who may call what. Clones share one state; a reload shows in all of them.
#[derive(Clone)]
pub struct Policy {
    shared: Arc<Shared>,
}

struct Shared {
    path: Option<PathBuf>,
    contracts: DescriptorPool,
    table: ArcSwap<Table>,
    /// What was last read, so that a faulty file is complained of once.
    seen: Mutex<String>,
}

impl Policy {
    /// Reads a policy against the platform's own contracts. Fails on unknown keys, and on services and
    /// methods that the contracts do not have.
    pub fn parse(text: &str) -> Result<Self, MeshError> {
        Self::against(proto::pool().clone(), text)
    }

    /// Reads a policy against other contracts: those of a service that is plugged in.
    pub fn against(contracts: DescriptorPool, text: &str) -> Result<Self, MeshError> {
        Self::new(None, contracts, text.to_owned())
    }

    /// Reads a policy file against the platform's own contracts.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MeshError> {
        let path = path.as_ref().to_owned();
        let text = read(&path)?;
        Self::new(Some(path), proto::pool().clone(), text)
    }

    /// Whether `caller` may call the method at `path`, as `/platform.auth.v1.SessionService/Login`.
    pub fn allows(&self, caller: &SpiffeId, path: &str) -> bool {
        self.shared.table.load().allows(caller, path)
    }

    /// Reads the file again every five seconds for as long as the process runs; does nothing for a
    /// policy that came from no file.
    pub fn watch(&self, lifecycle: &Lifecycle) {
        if self.shared.path.is_none() {
            return;
        }
        let policy = self.clone();
        lifecycle.every("call policy", POLL, Wake::default(), move || {
            let policy = policy.clone();
            // A refusal is logged already, and the next look comes at the usual pace.
            async move { Ok::<_, MeshError>(policy.reload().map_or(0, usize::from)) }
        });
    }

    /// Reads the file again now; whether it changed. A broken one is refused with a log line and a
    /// metric, and the last good one stays in force.
    pub fn reload(&self) -> Result<bool, MeshError> {
        let swapped = self.swap();
        if let Err(error) = &swapped {
            metrics::counter!("platform_mesh_policy_reload_failures_total").increment(1);
            tracing::error!(%error, "the new call policy was refused, the last good one stays in force");
        }
        swapped
    }

    pub(crate) fn contracts(&self) -> &DescriptorPool {
        &self.shared.contracts
    }

    fn new(path: Option<PathBuf>, contracts: DescriptorPool, text: String) -> Result<Self, MeshError> {
        let table = ArcSwap::from_pointee(Table::build(&text, &contracts)?);
        Ok(Self { shared: Arc::new(Shared { path, contracts, table, seen: Mutex::new(text) }) })
    }

    fn swap(&self) -> Result<bool, MeshError> {
        let Some(path) = &self.shared.path else { return Ok(false) };
        let text = read(path)?;
        let mut seen = self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == text {
            return Ok(false);
        }
        let next = Table::build(&text, &self.shared.contracts);
        *seen = text;
        self.shared.table.store(Arc::new(next?));
        tracing::info!(path = %path.display(), "call policy reloaded");
        Ok(true)
    }
}

fn read(path: &Path) -> Result<String, MeshError> {
    fs::read_to_string(path).map_err(|source| MeshError::Read { path: path.to_owned(), source })
}
