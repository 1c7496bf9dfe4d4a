//! A process of auth: a runtime of its own, so that it can be killed between any two steps.

use std::net::SocketAddr;

use auth::{Config, FirstAdministrator, Parts};
use chassis::{Clock, Ids, Kv, Lifecycle, Listeners, Source};
use mesh::{Identity, Policy};
use proto::ServiceError;
use tokio::runtime::{Builder, Runtime};

/// What a process is started with.
pub(crate) struct Start {
    pub(crate) settings: Vec<(String, String)>,
    pub(crate) kv: Store,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
}

/// Where the KV is.
#[derive(Clone)]
pub(crate) enum Store {
    Memory(Kv),
    Redis(String),
}

impl Store {
    pub(crate) async fn open(&self) -> Kv {
        match self {
            Store::Memory(kv) => kv.clone(),
            Store::Redis(url) => Kv::connect(&url.clone().into()).await.unwrap(),
        }
    }
}

/// A running process; dropping it kills it.
pub(crate) struct Process {
    pub(crate) address: SocketAddr,
    pub(crate) first_administrator: Option<FirstAdministrator>,
    runtime: Option<Runtime>,
}

impl Process {
    pub(crate) async fn start(start: Start) -> Result<Process, ServiceError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let built = runtime.spawn(run(start)).await.unwrap();
        match built {
            Ok((address, first_administrator)) => {
                Ok(Process { address, first_administrator, runtime: Some(runtime) })
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn run(start: Start) -> Result<(SocketAddr, Option<FirstAdministrator>), ServiceError> {
    let mut source = Source::from_pairs(&[chassis::DEFAULTS, auth::DEFAULTS], start.settings).unwrap();
    let config = Config::read(&mut source);
    source.finish().unwrap();
    let listeners = Listeners::bind(config.listen, config.ops_listen).await.unwrap();
    let address = listeners.address().unwrap();
    let parts = Parts {
        listeners,
        kv: start.kv.open().await,
        identity: start.identity,
        policy: Policy::parse(include_str!("../../../certs/policy.toml")).unwrap(),
        clock: start.clock,
        ids: Ids::random(),
        lifecycle: Lifecycle::new(),
    };
    let life = parts.lifecycle.clone();
    let service = auth::build(config, parts).await?;
    let first_administrator = service.first_administrator().cloned();
    life.spawn("auth", async move { service.run().await.unwrap() });
    Ok((address, first_administrator))
}
