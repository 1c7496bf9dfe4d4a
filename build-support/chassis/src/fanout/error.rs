//! What can fail about the fan-out.

use std::error::Error;

use proto::ServiceError;

/// The fan-out failed. Whether a message was delivered is unknown.
#[derive(Debug, thiserror::Error)]
#[error("fan-out, {operation}: {cause}")]
pub struct FanoutError {
    operation: &'static str,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("the broker is away")]
    Away,
    #[error("no answer in time")]
    Timeout,
    #[error("{0}")]
    Misuse(String),
    #[error("{0}")]
    Broker(Box<dyn Error + Send + Sync>),
}

impl FanoutError {
    pub(super) fn away(operation: &'static str) -> FanoutError {
        FanoutError { operation, cause: Cause::Away }
    }

    pub(super) fn timeout(operation: &'static str) -> FanoutError {
        FanoutError { operation, cause: Cause::Timeout }
    }

    pub(super) fn misuse(operation: &'static str, problem: impl Into<String>) -> FanoutError {
        FanoutError { operation, cause: Cause::Misuse(problem.into()) }
    }

    pub(super) fn subject() -> FanoutError {
        FanoutError::misuse("subject", "it is not the name of one subject")
    }

    pub(super) fn broker(
        operation: &'static str,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> FanoutError {
        FanoutError { operation, cause: Cause::Broker(error.into()) }
    }
}

/// The broker is a dependency that is away: `SERVICE_UNAVAILABLE`, to be tried again in a second.
impl From<FanoutError> for ServiceError {
    fn from(error: FanoutError) -> ServiceError {
        ServiceError::unavailable(error)
    }
}
