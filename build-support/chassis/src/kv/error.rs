//! What can fail about the key-value store.

use proto::ServiceError;

/// A command of the key-value store failed. Whether it took effect is unknown.
#[derive(Debug, thiserror::Error)]
#[error("key-value store, {operation}: {cause}")]
pub struct KvError {
    operation: &'static str,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("no answer in time")]
    Timeout,
    #[error("it was away a moment ago")]
    Away,
    #[error("the store in this process is full")]
    Full,
    #[error("{0}")]
    Misuse(String),
    #[error("{0}")]
    Redis(fred::error::Error),
}

impl KvError {
    pub(super) fn timeout(operation: &'static str) -> KvError {
        KvError { operation, cause: Cause::Timeout }
    }

    pub(super) fn away(operation: &'static str) -> KvError {
        KvError { operation, cause: Cause::Away }
    }

    pub(super) fn full(operation: &'static str) -> KvError {
        KvError { operation, cause: Cause::Full }
    }

    pub(super) fn misuse(operation: &'static str, problem: impl Into<String>) -> KvError {
        KvError { operation, cause: Cause::Misuse(problem.into()) }
    }

    pub(super) fn redis(operation: &'static str, error: fred::error::Error) -> KvError {
        KvError { operation, cause: Cause::Redis(error) }
    }
}

/// The store is a dependency that is away: `SERVICE_UNAVAILABLE`, to be tried again in a second.
impl From<KvError> for ServiceError {
    fn from(error: KvError) -> ServiceError {
        ServiceError::unavailable(error)
    }
}
