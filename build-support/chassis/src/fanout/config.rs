//! Which fan-out a process uses.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::{Fanout, FanoutError};
use crate::Source;

const MEMORY: &str = "memory:";

/// The settings of the fan-out.
#[derive(Debug, Clone)]
pub struct FanoutConfig {
    url: SecretString,
    extra_roots: Option<PathBuf>,
}

impl FanoutConfig {
    /// Reads the settings of a process that holds every service and may keep the fan-out in itself.
    pub fn read(source: &mut Source) -> FanoutConfig {
        FanoutConfig { url: source.value("NATS_URL"), extra_roots: source.value("SSL_CERT_FILE") }
    }

    /// The same for one of several processes: a fan-out that only it sees would reach nobody.
    pub fn read_shared(source: &mut Source) -> FanoutConfig {
        let config = FanoutConfig::read(source);
        if config.is_memory() {
            source.fault(
                "NATS_URL",
                "is memory:, which serves the one-process platform only, expected nats://…",
            );
        }
        config
    }

    /// Opens the fan-out. Fails where an address or the file of authorities is malformed.
    pub async fn open(&self) -> Result<Fanout, FanoutError> {
        if self.is_memory() {
            return Ok(Fanout::memory());
        }
        Fanout::connect(&self.url, self.extra_roots.as_deref()).await
    }

    fn is_memory(&self) -> bool {
        self.url.expose_secret() == MEMORY
    }
}
