//! A service's own identity: certificate, key and trusted roots, read from disk, reloaded while
//! running. It makes none of them; that is `certs`.

mod files;
mod generation;
mod trust;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use chassis::{Clock, Lifecycle, Wake};

pub use files::{BUNDLE_FILE, CURRENT, KEY_FILE, SVID_FILE, read_secret};
pub(crate) use generation::{ALPN_H2, Generation, unix_time};

use crate::{MeshError, SpiffeId, Svid};

/// How often a changed generation is looked for: with the hand-shake and the check per call it bounds
/// how long a removed root is still believed.
const POLL: Duration = Duration::from_secs(5);

/// The identity of this process in the mesh. Clones share one state; a reload shows in all of them.
#[derive(Clone)]
pub struct Identity {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    clock: Clock,
    current: ArcSwap<Generation>,
    /// The generation whose renewal was found overdue, so that it is said once and not every five seconds.
    overdue: AtomicU64,
    /// What was last said of a refused generation, for the same reason.
    refusal: Mutex<String>,
}

impl Identity {
    /// Opens `dir`, whose link `current` leads to a folder with `svid.pem`, `key.pem` and `bundle.pem`.
    ///
    /// Fails where a file is missing or unreadable, others may read the key, key and certificate do not
    /// match, or the certificate would not be believed by a peer with the same bundle.
    pub fn open(dir: impl AsRef<Path>, clock: Clock) -> Result<Self, MeshError> {
        let dir = dir.as_ref().to_owned();
        let first = Generation::load(&files::current_folder(&dir)?, 1, &clock)?;
        let current = ArcSwap::from_pointee(first);
        let (overdue, refusal) = (AtomicU64::new(0), Mutex::default());
        let identity = Self { shared: Arc::new(Shared { dir, clock, current, overdue, refusal }) };
        identity.report();
        Ok(identity)
    }

    /// Whom this process is.
    pub fn id(&self) -> SpiffeId {
        self.current().svid.id.clone()
    }

    /// The certificate in force.
    pub fn svid(&self) -> Svid {
        self.current().svid.clone()
    }

    /// Looks for a new generation every five seconds for as long as the process runs. One that fails a
    /// check is refused with a log line and a metric, and the last good one stays in force.
    pub fn watch(&self, lifecycle: &Lifecycle) {
        let identity = self.clone();
        lifecycle.every("mesh identity", POLL, Wake::default(), move || {
            let identity = identity.clone();
            // A refusal is logged already, and the next look comes at the usual pace.
            async move { Ok::<_, MeshError>(identity.reload().map_or(0, usize::from)) }
        });
    }

    /// Looks for a new generation now; whether there was one. After an error the last good one stays.
    pub fn reload(&self) -> Result<bool, MeshError> {
        let swapped = self.swap();
        if let Err(error) = &swapped {
            metrics::counter!("platform_mesh_identity_reload_failures_total").increment(1);
            self.say_refused(&error.to_string());
        }
        self.report();
        swapped
    }

    pub(crate) fn current(&self) -> Arc<Generation> {
        self.shared.current.load_full()
    }

    /// The number of the generation in force, without touching its count of references.
    pub(crate) fn generation(&self) -> u64 {
        self.shared.current.load().number
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    fn swap(&self) -> Result<bool, MeshError> {
        let current = self.current();
        let folder = files::current_folder(&self.shared.dir)?;
        if folder == current.folder {
            return Ok(false);
        }
        let next = Generation::load(&folder, current.number + 1, &self.shared.clock)?;
        if next.svid.id != current.svid.id {
            let reason = format!("it names {}, this process is {}", next.svid.id, current.svid.id);
            return Err(MeshError::Refused { path: folder, reason });
        }
        tracing::info!(serial = %next.svid.serial, ends = %next.svid.not_after, "mesh identity reloaded");
        self.shared.current.store(Arc::new(next));
        Ok(true)
    }

    fn say_refused(&self, error: &str) {
        let mut said = self.shared.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != error {
            tracing::error!(error, "the new mesh identity was refused, the last good one stays in force");
            error.clone_into(&mut said);
        }
    }

    /// Publishes the seconds left, and warns once renewal is overdue: at half of the certificate's life and
    /// a tenth.
    fn report(&self) {
        let generation = self.current();
        let svid = &generation.svid;
        let left = svid.not_after - self.shared.clock.now();
        #[expect(clippy::cast_precision_loss, reason = "seconds of a life of days fit a float exactly")]
        metrics::gauge!("platform_mesh_identity_life_left_seconds").set(left.num_seconds() as f64);
        let overdue = left < (svid.not_after - svid.not_before) * 2 / 5;
        if overdue && self.shared.overdue.swap(generation.number, Ordering::Relaxed) != generation.number {
            tracing::warn!(ends = %svid.not_after, "the mesh identity is overdue for renewal");
        }
    }
}

/// Checks the generation in `folder` exactly as the service it was made for would, and says whom it names.
pub fn check(folder: &Path, clock: &Clock) -> Result<Svid, MeshError> {
    Ok(Generation::load(folder, 1, clock)?.svid)
}
