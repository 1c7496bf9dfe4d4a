//! A service as a process of its own: reads every setting or says every fault, opens the identity and
//! the call policy, serves, and ends in order. What it serves is the service's.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use chassis::{Clock, Faults, Ids, Lifecycle, Source, TelemetryConfig, telemetry};

use crate::{Identity, MeshError, Policy};

/// How long what is in flight may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// The exit code of a wrong configuration.
const MISCONFIGURED: u8 = 2;

/// A service, as its process knows it.
#[derive(Clone, Copy, Debug)]
pub struct Process {
    /// Its name in the mesh and in the logs.
    pub service: &'static str,
    /// The commented default files of its settings.
    pub defaults: &'static [&'static str],
    /// The call policy where none is configured.
    pub policy: &'static str,
}

/// What a member of the mesh is given by its process.
pub struct Member {
    /// Whom it is.
    pub identity: Identity,
    /// Who may call what.
    pub policy: Policy,
    /// The time.
    pub clock: Clock,
    /// Chance.
    pub ids: Ids,
    /// What spawns, and ends in order.
    pub lifecycle: Lifecycle,
}

/// The settings of the process beside those of the service.
struct Settings {
    telemetry: TelemetryConfig,
    identity: PathBuf,
    policy: Option<PathBuf>,
}

impl Process {
    /// Runs the process: `read` reads the service's settings, `serve` serves until the end is asked for.
    /// Exits with 2 where the configuration is wrong.
    pub fn run<C, F>(
        self,
        read: impl FnOnce(&mut Source) -> C,
        serve: impl FnOnce(C, Member) -> F,
    ) -> ExitCode
    where
        F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
    {
        let (settings, config) = match self.read(read) {
            Ok(read) => read,
            Err(faults) => {
                eprintln!("{faults}");
                return ExitCode::from(MISCONFIGURED);
            }
        };
        match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
            Ok(runtime) => runtime.block_on(self.live(settings, config, serve)),
            Err(error) => {
                eprintln!("the runtime does not start: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn read<C>(self, read: impl FnOnce(&mut Source) -> C) -> Result<(Settings, C), Faults> {
        let mut source = Source::load_shared(self.defaults)?;
        let data_dir: PathBuf = source.value("PLATFORM_DATA_DIR");
        let identity: Option<PathBuf> = source.value("MESH_CERT_DIR");
        let settings = Settings {
            telemetry: TelemetryConfig::read(&mut source),
            identity: identity.unwrap_or_else(|| data_dir.join("mesh").join(self.service)),
            policy: source.value("MESH_POLICY"),
        };
        let config = read(&mut source);
        source.finish()?;
        Ok((settings, config))
    }

    async fn live<C, F>(self, settings: Settings, config: C, serve: impl FnOnce(C, Member) -> F) -> ExitCode
    where
        F: Future<Output = Result<(), Box<dyn Error + Send + Sync>>>,
    {
        let telemetry = telemetry::init(&settings.telemetry, self.service);
        let lifecycle = Lifecycle::new();
        let ended = async {
            lifecycle.on_signals()?;
            serve(config, self.member(&settings, &lifecycle)?).await?;
            Ok::<_, Box<dyn Error + Send + Sync>>(lifecycle.wait(END_TIMEOUT).await?)
        };
        let ended = ended.await;
        if let Err(error) = &ended {
            tracing::error!(%error, "the service ends");
        }
        telemetry.flush().await;
        if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn member(self, settings: &Settings, lifecycle: &Lifecycle) -> Result<Member, MeshError> {
        let clock = Clock::system();
        let identity = Identity::open(&settings.identity, clock.clone())?;
        identity.watch(lifecycle);
        let policy = match &settings.policy {
            Some(path) => Policy::open(path)?,
            None => Policy::parse(self.policy)?,
        };
        policy.watch(lifecycle);
        Ok(Member { identity, policy, clock, ids: Ids::random(), lifecycle: lifecycle.clone() })
    }
}
