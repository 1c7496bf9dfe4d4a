//! The whole platform in one process: gateway, auth and notify, each with its own identity and its own
//! port, talking over the mesh as they do when they stand apart. They share the KV and the process,
//! nothing else.

mod greeting;
mod settings;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use chassis::{Clock, Fanout, Ids, Kv, Lifecycle, Listeners, telemetry};
use mesh::{Identity, Policy};
use tracing::{Instrument, info_span};

use settings::Settings;

/// How long what is in flight may take to end.
const END_TIMEOUT: Duration = Duration::from_secs(30);
/// The exit code of a wrong configuration.
const MISCONFIGURED: u8 = 2;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(faults) => {
            eprintln!("{faults}");
            return ExitCode::from(MISCONFIGURED);
        }
    };
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(live(settings)),
        Err(error) => {
            eprintln!("the runtime does not start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn live(settings: Settings) -> ExitCode {
    let telemetry = telemetry::init(&settings.telemetry, "platform");
    let life = Lifecycle::new();
    let ended = Box::pin(serve(settings, &life)).await;
    life.shutdown();
    let ended = match (ended, life.wait(END_TIMEOUT).await) {
        (Ok(()), ended) => ended.map_err(Failure::from),
        (failed, _) => failed,
    };
    if let Err(error) = &ended {
        tracing::error!(%error, "the platform ends");
        eprintln!("the platform ends: {error}");
    }
    telemetry.flush().await;
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What every service is given alike.
#[derive(Clone)]
struct Common {
    clock: Clock,
    ids: Ids,
    kv: Kv,
    fanout: Fanout,
    life: Lifecycle,
}

async fn serve(settings: Settings, life: &Lifecycle) -> Result<(), Failure> {
    life.on_signals()?;
    let clock = Clock::system();
    let mesh = settings.mesh.prepare(&clock, life).await?;
    let kv = settings.kv.open(clock.clone()).await?;
    let fanout = settings.fanout.open().await?;
    // The edge ends first: what it has begun still needs the services behind it.
    let behind = Lifecycle::new();
    let common = Common { clock, ids: Ids::random(), kv, fanout, life: behind.clone() };

    // Every port is bound before a service is told where the others are: port 0 picks a free one.
    let listeners = Listeners::bind(settings.auth.listen, settings.auth.ops_listen).await?;
    let (auth_address, auth_ops) = (listeners.address()?, listeners.ops_address()?);
    let notify_listeners = Listeners::bind(settings.notify.listen, settings.notify.ops_listen).await?;
    let (notify_address, notify_ops) = (notify_listeners.address()?, notify_listeners.ops_address()?);
    let mut notify_config = settings.notify;
    notify_config.auth_upstream = vec![auth_address.to_string()];
    let notify = notify(notify_config, notify_listeners, mesh.member("notify")?, &common).await?;
    let mut auth_config = settings.auth;
    auth_config.notify_upstream = vec![notify_address.to_string()];
    let auth = auth(auth_config, listeners, mesh.member("auth")?, &common).await?;
    let mut gateway_config = settings.gateway;
    gateway_config.auth_upstream = vec![auth_address.to_string()];
    gateway_config.notify_upstream = vec![notify_address.to_string()];
    let edge = Common { life: life.clone(), ..common.clone() };
    let gateway = gateway(gateway_config, mesh.member("gateway")?.0, &edge).await?;

    greeting::print(&greeting::Places {
        gateway: gateway.addr(),
        gateway_ops: gateway.ops_addr(),
        auth: auth_address,
        auth_ops,
        notify: notify_address,
        notify_ops,
    });
    if let Some(administrator) = auth.first_administrator() {
        println!("{administrator}");
    }
    let named = |service| info_span!("service", service);
    let auth = async { auth.run().await.map_err(Failure::from) }.instrument(named("auth"));
    let notify = async { notify.run().await.map_err(Failure::from) }.instrument(named("notify"));
    let gateway = async {
        gateway.run().await;
        life.shutdown();
        let drained = life.wait(END_TIMEOUT).await;
        behind.shutdown();
        drained.map_err(Failure::from)
    }
    .instrument(named("gateway"));
    // Where one ends, whatever the reason, the others are asked to.
    let (auth, notify, gateway) = tokio::join!(ending(auth, life), ending(notify, life), gateway);
    auth.and(notify).and(gateway)?;
    Ok(behind.wait(END_TIMEOUT).await?)
}

async fn ending(service: impl Future<Output = Result<(), Failure>>, life: &Lifecycle) -> Result<(), Failure> {
    let ended = service.await;
    life.shutdown();
    ended
}

type Member = (Identity, Policy);

async fn auth(
    config: auth::Config,
    listeners: Listeners,
    member: Member,
    common: &Common,
) -> Result<auth::Service, Failure> {
    let parts = auth::Parts {
        listeners,
        kv: common.kv.clone(),
        identity: member.0,
        policy: member.1,
        clock: common.clock.clone(),
        ids: common.ids.clone(),
        lifecycle: common.life.clone(),
    };
    Ok(auth::build(config, parts).instrument(info_span!("service", service = "auth")).await?)
}

async fn notify(
    config: notify::config::Config,
    listeners: Listeners,
    member: Member,
    common: &Common,
) -> Result<notify::Notify, Failure> {
    let parts = notify::Parts {
        listeners,
        fanout: common.fanout.clone(),
        clock: common.clock.clone(),
        ids: common.ids.clone(),
        identity: member.0,
        policy: member.1,
        lifecycle: common.life.clone(),
    };
    Ok(notify::build(config, parts).instrument(info_span!("service", service = "notify")).await?)
}

async fn gateway(
    config: gateway::config::Config,
    identity: Identity,
    common: &Common,
) -> Result<gateway::Gateway, Failure> {
    let parts = gateway::Parts {
        kv: common.kv.clone(),
        fanout: common.fanout.clone(),
        clock: common.clock.clone(),
        ids: common.ids.clone(),
        identity,
        lifecycle: common.life.clone(),
    };
    Ok(gateway::build(config, parts).instrument(info_span!("service", service = "gateway")).await?)
}
