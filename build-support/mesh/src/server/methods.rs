//! What is known of every method before it is called: its message rules and its metrics.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use metrics::{Counter, Histogram};
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor};
use proto::rules::Rules;
use proto::{ErrorCode, ServiceError};
use tonic::Code;

use super::access::Access;
use crate::{Caller, MeshError};

/// The codes of gRPC are 0 to 16.
const CODES: usize = 17;
/// More faults of one message are not told; they travel in a head, which has a limit.
const VIOLATIONS_MAX: usize = 32;

/// The methods of the contracts by the path they are called at.
pub(super) struct Methods {
    by_path: HashMap<String, Arc<Method>>,
    /// Health, and what no contract has.
    other: Arc<Method>,
}

/// One method.
pub(super) struct Method {
    path: String,
    /// The message and its rules, where it has any.
    checked: Option<(MessageDescriptor, Rules)>,
    /// What the contract asks of the person behind the call.
    access: Access,
    seconds: OnceLock<Histogram>,
    answers: [OnceLock<Counter>; CODES],
}

impl Methods {
    pub(super) fn of(contracts: &DescriptorPool) -> Result<Self, MeshError> {
        let mut by_path = HashMap::new();
        for method in contracts.services().flat_map(|service| service.methods().collect::<Vec<_>>()) {
            let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
            let (checked, access) = (rules(&method)?, Access::of(&method)?);
            by_path.insert(path.clone(), Arc::new(Method::new(path, checked, access)));
        }
        Ok(Self { by_path, other: Arc::new(Method::new("other".to_owned(), None, Access::Anybody)) })
    }

    pub(super) fn at(&self, path: &str) -> &Arc<Method> {
        self.by_path.get(path).unwrap_or(&self.other)
    }
}

/// A stream's messages are the handler's to check; there is no such method yet.
fn rules(method: &MethodDescriptor) -> Result<Option<(MessageDescriptor, Rules)>, MeshError> {
    if method.is_client_streaming() {
        return Ok(None);
    }
    let rules = Rules::compile(&method.input()).map_err(|unsupported| {
        MeshError::Policy(format!("{} has the unknown rule {}", unsupported.field, unsupported.rule))
    })?;
    Ok((!rules.is_empty()).then(|| (method.input(), rules)))
}

impl Method {
    fn new(path: String, checked: Option<(MessageDescriptor, Rules)>, access: Access) -> Self {
        Self { path, checked, access, seconds: OnceLock::new(), answers: [const { OnceLock::new() }; CODES] }
    }

    pub(super) fn has_rules(&self) -> bool {
        self.checked.is_some()
    }

    /// Judges the person behind the call by the contract.
    pub(super) fn judge(&self, caller: Option<&Caller>) -> Result<(), ServiceError> {
        self.access.judge(caller)
    }

    /// Checks the bytes of a request against the rules of the contract.
    pub(super) fn check(&self, message: &[u8]) -> Result<(), ServiceError> {
        let Some((descriptor, rules)) = &self.checked else { return Ok(()) };
        let message = DynamicMessage::decode(descriptor.clone(), message)
            .map_err(|error| ServiceError::new(ErrorCode::MalformedRequest).source(error))?;
        match rules.check(&message) {
            violations if violations.is_empty() => Ok(()),
            violations => {
                let told = violations.into_iter().take(VIOLATIONS_MAX);
                Err(ServiceError::new(ErrorCode::ValidationError).with_violations(told))
            }
        }
    }

    /// Counts one answer.
    pub(super) fn record(&self, code: Code, took: Duration) {
        let path = || self.path.clone();
        if let Some(answers) = self.answers.get(code as usize) {
            answers
                .get_or_init(|| {
                    let code = format!("{code:?}");
                    metrics::counter!("platform_rpc_server_answers_total", "rpc" => path(), "code" => code)
                })
                .increment(1);
        }
        self.seconds
            .get_or_init(|| metrics::histogram!("platform_rpc_server_duration_seconds", "rpc" => path()))
            .record(took);
    }
}
