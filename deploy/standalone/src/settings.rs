//! The settings of the one-process platform: those of all its services, read together.

use std::error::Error;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use chassis::fanout::FanoutConfig;
use chassis::kv::KvConfig;
use chassis::{Clock, Faults, Lifecycle, Source, TelemetryConfig, Wake};
use mesh::{Identity, MeshError, Policy};

const SERVICES: [&str; 3] = ["gateway", "auth", "notify"];
const DEFAULTS: [&str; 4] =
    [chassis::DEFAULTS, gateway::config::DEFAULTS, auth::DEFAULTS, notify::config::DEFAULTS];

/// Every setting.
pub(crate) struct Settings {
    pub(crate) telemetry: TelemetryConfig,
    pub(crate) mesh: MeshSettings,
    pub(crate) kv: KvConfig,
    pub(crate) fanout: FanoutConfig,
    pub(crate) gateway: gateway::config::Config,
    pub(crate) auth: auth::Config,
    pub(crate) notify: notify::config::Config,
}

/// Where the identities and the call policy are.
pub(crate) struct MeshSettings {
    data_dir: PathBuf,
    /// The folder that holds every service's identity, where somebody else makes them.
    given: Option<PathBuf>,
    policy: Option<PathBuf>,
}

/// The identities, ready to be used.
pub(crate) struct Mesh {
    folder: PathBuf,
    policy: Option<PathBuf>,
    clock: Clock,
    life: Lifecycle,
}

impl Settings {
    /// Reads every setting, or says every fault.
    pub(crate) fn load() -> Result<Self, Faults> {
        let mut source = Source::load(&DEFAULTS)?;
        let settings = Self {
            telemetry: TelemetryConfig::read(&mut source),
            mesh: MeshSettings {
                data_dir: source.value("PLATFORM_DATA_DIR"),
                given: source.value("MESH_CERT_DIR"),
                policy: source.value("MESH_POLICY"),
            },
            kv: KvConfig::read(&mut source),
            fanout: FanoutConfig::read(&mut source),
            gateway: gateway::config::Config::read(&mut source),
            auth: auth::Config::read(&mut source),
            notify: notify::config::Config::read(&mut source),
        };
        source.finish()?;
        Ok(settings)
    }
}

impl MeshSettings {
    /// Makes the development identities where none are given, and renews them while the platform runs.
    pub(crate) async fn prepare(
        self,
        clock: &Clock,
        life: &Lifecycle,
    ) -> Result<Mesh, Box<dyn Error + Send + Sync>> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir)?;
        let folder = self.given.clone().unwrap_or_else(|| self.data_dir.join("mesh"));
        if self.given.is_none() {
            let (dir, clock) = (folder.clone(), clock.clone());
            let ensure = move || {
                let (dir, clock) = (dir.clone(), clock.clone());
                async move {
                    let made =
                        tokio::task::spawn_blocking(move || certs::dev::ensure(&dir, &SERVICES, &clock));
                    made.await?.map_err(Box::<dyn Error + Send + Sync>::from)
                }
            };
            ensure().await?;
            life.every("renew_identities", certs::dev::INTERVAL, Wake::new(), ensure);
        }
        Ok(Mesh { folder, policy: self.policy, clock: clock.clone(), life: life.clone() })
    }
}

impl Mesh {
    /// A service's identity and its own copy of the call policy, both watched.
    pub(crate) fn member(&self, service: &str) -> Result<(Identity, Policy), MeshError> {
        let identity = Identity::open(self.folder.join(service), self.clock.clone())?;
        identity.watch(&self.life);
        let policy = match &self.policy {
            Some(path) => Policy::open(path)?,
            None => Policy::parse(certs::POLICY)?,
        };
        policy.watch(&self.life);
        Ok((identity, policy))
    }
}
