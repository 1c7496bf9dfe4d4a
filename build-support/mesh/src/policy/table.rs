//! The policy as it is asked: from the path of a call to the callers it is open to.

use std::collections::{HashMap, HashSet};

use prost_reflect::{DescriptorPool, ServiceDescriptor};

use super::file;
use crate::{MeshError, SpiffeId};

/// Health checks are open to every member; the hand-shake has proved that the caller is one.
const HEALTH: &str = "/grpc.health.v1.Health/";

pub(super) struct Table {
    callers_by_path: HashMap<String, HashSet<String>>,
}

impl Table {
    pub(super) fn build(text: &str, contracts: &DescriptorPool) -> Result<Self, MeshError> {
        let mut callers_by_path: HashMap<String, HashSet<String>> = HashMap::new();
        for rule in file::parse(text)?.allow {
            let service = contracts
                .get_service_by_name(&rule.to)
                .ok_or_else(|| MeshError::Policy(format!("no contract has the service {}", rule.to)))?;
            rule.from.iter().try_for_each(|caller| check_caller(caller))?;
            for method in methods(&service, &rule.methods)? {
                let path = format!("/{}/{method}", service.full_name());
                callers_by_path.entry(path).or_default().extend(rule.from.iter().cloned());
            }
        }
        Ok(Self { callers_by_path })
    }

    pub(super) fn allows(&self, caller: &SpiffeId, path: &str) -> bool {
        match self.callers_by_path.get(path) {
            Some(callers) => callers.contains(caller.path()) || callers.contains(caller.as_str()),
            None => path.starts_with(HEALTH),
        }
    }
}

/// A caller is spelled as a whole id, or as the path of one.
fn check_caller(caller: &str) -> Result<(), MeshError> {
    let id = if caller.contains("://") { caller.parse() } else { SpiffeId::new("any", caller) };
    id.map(drop).map_err(|error| MeshError::Policy(format!("{caller:?}: {error}")))
}

fn methods(service: &ServiceDescriptor, named: &[String]) -> Result<Vec<String>, MeshError> {
    let all: Vec<String> = service.methods().map(|method| method.name().to_owned()).collect();
    if named == ["*"] {
        return Ok(all);
    }
    match named.iter().find(|name| !all.contains(name)) {
        Some(unknown) => Err(MeshError::Policy(format!("{} has no method {unknown}", service.full_name()))),
        None => Ok(named.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = r#"
        version = 1
        [[allow]]
        from = ["gateway"]
        to = "platform.auth.v1.SessionService"
        methods = ["Login"]
        [[allow]]
        from = ["spiffe://platform.local/auth"]
        to = "platform.notify.v1.EventService"
        methods = ["*"]
    "#;

    fn member(name: &str) -> SpiffeId {
        SpiffeId::new("platform.local", name).unwrap()
    }

    fn fault(text: &str) -> String {
        Table::build(text, proto::pool()).err().unwrap().to_string()
    }

    #[test]
    fn a_named_caller_may_and_nobody_else() {
        let table = Table::build(POLICY, proto::pool()).unwrap();
        assert!(table.allows(&member("gateway"), "/platform.auth.v1.SessionService/Login"));
        assert!(table.allows(&member("auth"), "/platform.notify.v1.EventService/Publish"));
        assert!(!table.allows(&member("notify"), "/platform.auth.v1.SessionService/Login"));
        assert!(!table.allows(&member("team/gateway"), "/platform.auth.v1.SessionService/Login"));
        assert!(!table.allows(&member("gateway"), "/platform.auth.v1.SessionService/Refresh"));
        assert!(!table.allows(&member("gateway"), "/platform.auth.v1.Unknown/Login"));
    }

    #[test]
    fn health_is_open_to_every_member() {
        let table = Table::build("version = 1", proto::pool()).unwrap();
        assert!(table.allows(&member("anybody"), "/grpc.health.v1.Health/Check"));
    }

    #[test]
    fn what_no_contract_has_is_refused() {
        let unknown = POLICY.replace("\"Login\"", "\"LogIn\"");
        assert!(fault(&unknown).contains("has no method LogIn"));
        assert!(fault(&POLICY.replace("SessionService", "Sessions")).contains("no contract has"));
        assert!(fault("version = 2").contains("version 2"));
        assert!(fault("version = 1\nmode = \"open\"").contains("unknown field"));
        assert!(fault(&POLICY.replace("gateway", "*")).contains("SPIFFE"));
    }
}
