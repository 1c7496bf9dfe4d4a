//! The process `notify`.

use std::process::ExitCode;

use chassis::Listeners;
use chassis::fanout::FanoutConfig;
use mesh::{Member, Process};
use notify::Parts;
use notify::config::{Config, DEFAULTS};

const PROCESS: Process = Process {
    service: "notify",
    defaults: &[chassis::DEFAULTS, DEFAULTS],
    policy: include_str!("../../certs/policy.toml"),
};

fn main() -> ExitCode {
    let read = |source: &mut _| (Config::read(source), FanoutConfig::read_shared(source));
    PROCESS.run(read, |(config, fanout), member: Member| async move {
        let Member { identity, policy, clock, ids, lifecycle } = member;
        let fanout = fanout.open().await?;
        let listeners = Listeners::bind(config.listen, config.ops_listen).await?;
        tracing::info!(listen = %listeners.address()?, operations = %listeners.ops_address()?, "notify starts");
        let parts = Parts { listeners, fanout, clock, ids, identity, policy, lifecycle };
        Ok(notify::build(config, parts).await?.run().await?)
    })
}
