//! Which key-value store a process uses.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Kv, KvError};
use crate::{Clock, Source};

const MEMORY: &str = "memory:";

/// The settings of the store.
#[derive(Debug, Clone)]
pub struct KvConfig {
    url: SecretString,
    extra_roots: Option<PathBuf>,
}

impl KvConfig {
    /// Reads the settings of a process that holds every service and may keep the store in itself.
    pub fn read(source: &mut Source) -> KvConfig {
        KvConfig { url: source.value("REDIS_URL"), extra_roots: source.value("SSL_CERT_FILE") }
    }

    /// The same for one of several processes: a store that only it sees would let revocations go unseen.
    pub fn read_shared(source: &mut Source) -> KvConfig {
        let config = KvConfig::read(source);
        if config.is_memory() {
            source.fault(
                "REDIS_URL",
                "is memory:, which serves the one-process platform only, expected redis://…",
            );
        }
        config
    }

    /// Opens the store. Fails where the address is malformed.
    pub async fn open(&self, clock: Clock) -> Result<Kv, KvError> {
        if self.is_memory() {
            return Ok(Kv::memory(clock));
        }
        Kv::connect_trusting(&self.url, self.extra_roots.as_deref()).await
    }

    fn is_memory(&self) -> bool {
        self.url.expose_secret() == MEMORY
    }
}
