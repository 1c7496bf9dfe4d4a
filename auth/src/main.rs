//! The process `auth`.

use std::process::ExitCode;

use auth::{Config, DEFAULTS, Parts};
use chassis::Listeners;
use chassis::kv::KvConfig;
use mesh::{Member, Process};

const PROCESS: Process = Process {
    service: "auth",
    defaults: &[chassis::DEFAULTS, DEFAULTS],
    policy: include_str!("../../certs/policy.toml"),
};

fn main() -> ExitCode {
    let read = |source: &mut _| (Config::read(source), KvConfig::read_shared(source));
    PROCESS.run(read, |(config, kv), member: Member| async move {
        let Member { identity, policy, clock, ids, lifecycle } = member;
        let kv = kv.open(clock.clone()).await?;
        let listeners = Listeners::bind(config.listen, config.ops_listen).await?;
        tracing::info!(listen = %listeners.address()?, operations = %listeners.ops_address()?, "auth starts");
        let service =
            auth::build(config, Parts { listeners, kv, identity, policy, clock, ids, lifecycle }).await?;
        if let Some(administrator) = service.first_administrator() {
            println!("{administrator}");
        }
        Ok(service.run().await?)
    })
}
