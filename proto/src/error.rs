//! The one error of the platform's services and its way over gRPC. What is said outside and what is
//! known inside are two fields and never the same string: `text` and `violations` go out, `cause`
//! goes to the log of the service that answers and no further.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt::{self, Write};
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::errors::ErrorCode;

/// The `ErrorInfo` domain of our codes; other domains' reasons are not ours to read.
const DOMAIN: &str = "platform";

type Cause = Box<dyn StdError + Send + Sync>;

/// A failure with a code of the contract.
#[derive(Debug)]
pub struct ServiceError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    code: ErrorCode,
    text: Option<String>,
    violations: Vec<Violation>,
    retry_after: Option<Duration>,
    cause: Option<Cause>,
}

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path in lowerCamelCase: `profile.displayName`.
    pub field: String,
    /// What is wrong, in a sentence that is safe outside.
    pub message: String,
}

impl ServiceError {
    /// A failure with this code and the contract's text for it.
    pub fn new(code: ErrorCode) -> Self {
        Self(Box::new(Parts { code, text: None, violations: Vec::new(), retry_after: None, cause: None }))
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::new(ErrorCode::Internal).source(cause)
    }

    /// A dependency is away; the client may try again in a second.
    pub fn unavailable(cause: impl Into<Cause>) -> Self {
        Self::new(ErrorCode::ServiceUnavailable).retry_after(Duration::from_secs(1)).source(cause)
    }

    /// One field of the request is wrong.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::ValidationError).violation(field, message)
    }

    /// Says more than the contract's text; safe outside.
    #[must_use]
    pub fn message(mut self, text: impl Into<String>) -> Self {
        self.0.text = Some(text.into());
        self
    }

    /// Names a wrong field.
    #[must_use]
    pub fn violation(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.violations.push(Violation { field: field.into(), message: message.into() });
        self
    }

    /// Names several wrong fields.
    #[must_use]
    pub fn with_violations(mut self, violations: impl IntoIterator<Item = Violation>) -> Self {
        self.0.violations.extend(violations);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// Keeps what is known inside. It never leaves the service.
    #[must_use]
    pub fn source(mut self, cause: impl Into<Cause>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The code.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The text outside.
    pub fn text(&self) -> &str {
        self.0.text.as_deref().unwrap_or_else(|| self.0.code.message())
    }

    /// The wrong fields.
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// When to try again.
    pub fn retry_after_hint(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What is known inside, for the log.
    pub fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// Reads a failed call. Without an `ErrorInfo` of ours the code is a general one and the text is
    /// the contract's: what a foreign or broken service says does not go out.
    pub fn from_status(status: &Status) -> Self {
        let details = status.get_error_details();
        let code = details
            .error_info()
            .filter(|info| info.domain == DOMAIN)
            .and_then(|info| ErrorCode::parse(&info.reason));
        let Some(code) = code else {
            return Self::new(general_code(status)).source(format!(
                "{:?}: {}",
                status.code(),
                status.message()
            ));
        };
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let mut error =
            Self::new(code).message(status.message()).with_violations(violations.iter().map(|violation| {
                Violation { field: violation.field.clone(), message: violation.description.clone() }
            }));
        error.0.retry_after = details.retry_info().and_then(|info| info.retry_delay);
        error
    }
}

/// The code of a status that carries none of ours.
fn general_code(status: &Status) -> ErrorCode {
    match status.code() {
        Code::InvalidArgument | Code::OutOfRange => ErrorCode::ValidationError,
        Code::FailedPrecondition => ErrorCode::PreconditionNotMet,
        Code::Unauthenticated => ErrorCode::Unauthenticated,
        Code::PermissionDenied => ErrorCode::PermissionDenied,
        Code::NotFound => ErrorCode::NotFound,
        Code::AlreadyExists | Code::Aborted => ErrorCode::Conflict,
        // A message over the size limit reads the same on this wire; neither is the client's rate.
        Code::ResourceExhausted => ErrorCode::Overloaded,
        Code::Unimplemented => ErrorCode::NotImplemented,
        Code::Unavailable => ErrorCode::ServiceUnavailable,
        // tonic reports its own time-out as CANCELLED; a client that went away reads no answer.
        Code::DeadlineExceeded | Code::Cancelled => ErrorCode::UpstreamTimeout,
        Code::Internal | Code::DataLoss => ErrorCode::Internal,
        Code::Ok | Code::Unknown => ErrorCode::UpstreamFailure,
    }
}

impl From<ServiceError> for Status {
    fn from(error: ServiceError) -> Self {
        let mut details = ErrorDetails::with_error_info(error.code().as_str(), DOMAIN, HashMap::new());
        for violation in error.violations() {
            details.add_bad_request_violation(&violation.field, &violation.message);
        }
        if let Some(wait) = error.retry_after_hint() {
            details.set_retry_info(Some(wait));
        }
        Status::with_error_details(error.code().grpc_code(), error.text(), details)
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = OneLine(f);
        line.write_str(self.code().as_str())?;
        for violation in self.violations() {
            write!(line, ", {}: {}", violation.field, violation.message)?;
        }
        match self.cause() {
            Some(cause) => write!(line, ": {cause}"),
            None => Ok(()),
        }
    }
}

/// Writes text so that it stays on its line of the log, whoever gave it.
struct OneLine<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().flat_map(visible).try_for_each(|character| self.0.write_char(character))
    }
}

/// A character as it may be shown in a log: itself, or escaped where it would end the line, speak to a
/// terminal, or turn the reading direction, and so let a client write lines that look like ours.
pub fn visible(character: char) -> impl Iterator<Item = char> {
    let turns_or_ends = matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hidden = character.is_control() || turns_or_ends;
    let escaped = hidden.then(|| character.escape_default());
    escaped.into_iter().flatten().chain((!hidden).then_some(character))
}

impl StdError for ServiceError {}

impl From<ErrorCode> for ServiceError {
    fn from(code: ErrorCode) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_error() -> impl Strategy<Value = ServiceError> {
        let codes: Vec<ErrorCode> = ErrorCode::all().collect();
        let violations = prop::collection::vec(("[a-z]{1,8}", "[ -~]{0,20}"), 0..4);
        (prop::sample::select(codes), "[ -~]{1,40}", violations, prop::option::of(1_u64..10_000)).prop_map(
            |(code, text, violations, wait)| {
                let error = ServiceError::new(code).message(text).with_violations(
                    violations.into_iter().map(|(field, message)| Violation { field, message }),
                );
                match wait {
                    Some(seconds) => error.retry_after(Duration::from_secs(seconds)),
                    None => error,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn every_error_survives_the_wire(error in any_error()) {
            let (code, text) = (error.code(), error.text().to_owned());
            let (violations, wait) = (error.violations().to_vec(), error.retry_after_hint());
            let back = ServiceError::from_status(&Status::from(error));
            prop_assert_eq!(back.code(), code);
            prop_assert_eq!(back.text(), text);
            prop_assert_eq!(back.violations(), violations);
            prop_assert_eq!(back.retry_after_hint(), wait);
        }
    }

    #[test]
    fn the_cause_stays_inside() {
        let error = ServiceError::internal("table users is on fire");
        assert!(error.to_string().contains("on fire"));
        let status = Status::from(error);
        assert!(!format!("{status:?}").contains("on fire"));
    }

    #[test]
    fn a_log_line_of_an_error_stays_one_line_whatever_clients_name_their_fields() {
        let forged = "x\r\n2026-01-01  INFO admin signed in\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{2028}\0ä";
        let error = ServiceError::invalid(forged, "is not known").source(forged);
        let line = error.to_string();
        assert!(!line.contains(char::is_control) && !line.contains(['\u{2028}', '\u{202e}']), "{line:?}");
        assert!(line.contains(r"x\r\n2026") && line.contains(r"\u{1b}[2J\u{9b}\u{7f}"), "{line}");
        assert!(line.contains('ä'), "{line}");
        assert_eq!(error.violations()[0].field, forged, "what services say to each other is not changed");
    }

    #[test]
    fn a_foreign_status_says_nothing_outside() {
        for (code, expected) in [
            (Code::Unavailable, ErrorCode::ServiceUnavailable),
            (Code::Cancelled, ErrorCode::UpstreamTimeout),
            (Code::Unknown, ErrorCode::UpstreamFailure),
            (Code::Internal, ErrorCode::Internal),
        ] {
            let error = ServiceError::from_status(&Status::new(code, "secret host"));
            assert_eq!(error.code(), expected);
            assert!(!error.text().contains("secret"));
        }
    }
}
