//! The process `gateway`.

use std::process::ExitCode;

use chassis::fanout::FanoutConfig;
use chassis::kv::KvConfig;
use gateway::Parts;
use gateway::config::{Config, DEFAULTS};
use mesh::{Member, Process};

const PROCESS: Process = Process {
    service: "gateway",
    defaults: &[chassis::DEFAULTS, DEFAULTS],
    policy: include_str!("../../certs/policy.toml"),
};

fn main() -> ExitCode {
    let read = |source: &mut _| {
        (Config::read(source), KvConfig::read_shared(source), FanoutConfig::read_shared(source))
    };
    PROCESS.run(read, |(config, kv, fanout), member: Member| async move {
        let Member { identity, clock, ids, lifecycle, .. } = member;
        let (kv, fanout) = (kv.open(clock.clone()).await?, fanout.open().await?);
        let gateway = gateway::build(config, Parts { kv, fanout, clock, ids, identity, lifecycle }).await?;
        tracing::info!(listen = %gateway.addr(), operations = %gateway.ops_addr(), "the gateway starts");
        gateway.run().await;
        Ok(())
    })
}
