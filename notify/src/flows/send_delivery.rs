//! Sends a message that is owed: asks who the reader is, reveals what the message must say, finds the
//! words and hands them over. What came of it is answered; writing it down is the job's affair.

use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use crate::app::App;
use crate::channels::{Failure, Mail};
use crate::domain::attempt::{Attempt, Outcome};
use crate::domain::delivery::{ATTEMPT_TIMEOUT, Status};
use crate::store::StoreError;
use crate::templates::TemplateError;

/// Makes one attempt; `None` where the delivery has ended and there is nothing to do. It takes at most
/// [`ATTEMPT_TIMEOUT`].
pub(crate) async fn send_delivery(app: &App, delivery_id: Uuid) -> Option<Attempt> {
    match tokio::time::timeout(ATTEMPT_TIMEOUT, attempt(app, delivery_id)).await {
        Ok(Ok(detail)) => Some(Attempt::new(Outcome::Sent, detail)),
        Ok(Err(Stop::Ended)) => None,
        Ok(Err(Stop::At(attempt))) => Some(attempt),
        // Everybody was slow, and the mailer may have been in the middle of it.
        Err(_) => Some(Attempt::new(Outcome::Unknown, "the attempt took too long")),
    }
}

async fn attempt(app: &App, delivery_id: Uuid) -> Result<String, Stop> {
    let delivery = app.store.delivery_by_id(delivery_id).await?.ok_or(Stop::Ended)?;
    if delivery.status != Status::Pending {
        return Err(Stop::Ended);
    }
    let event = app.store.event_by_id(delivery.event_id).await?.ok_or(Stop::Ended)?;

    let recipient = app.directory.recipient(delivery.user_id).await?;
    let recipient = recipient.filter(|recipient| recipient.tenant_id == event.tenant_id);
    let Some(recipient) = recipient else { return Err(cancelled("there is no such user")) };
    let Some(address) = &recipient.email else { return Err(cancelled("the user has no address")) };

    let secrets = match &event.secret_reference {
        Some(reference) => Some(app.directory.reveal(reference).await.map_err(unrevealed)?),
        None => None,
    };
    let message = app.templates.mail(&event.kind, &app.speech(&event, &recipient, secrets.as_ref()))?;
    let mail = Mail::compose(delivery.id, &app.sender, address, &message, app.clock.now())?;
    Ok(app.mailer.send(&mail).await?)
}

/// Why an attempt got no further.
enum Stop {
    /// The delivery has ended already.
    Ended,
    /// This came of it.
    At(Attempt),
}

fn cancelled(why: &str) -> Stop {
    Stop::At(Attempt::new(Outcome::Cancelled, why))
}

fn unrevealed(error: ServiceError) -> Stop {
    match error.code() {
        ErrorCode::AuthLinkInvalid => {
            cancelled("the link was used, has expired, or a newer one took its place")
        }
        _ => error.into(),
    }
}

/// auth is away, or does not answer as it should: it will again.
impl From<ServiceError> for Stop {
    fn from(error: ServiceError) -> Self {
        Self::At(Attempt::new(Outcome::Deferred, format!("auth's directory: {}", error.code().as_str())))
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        let code = ServiceError::from(error).code();
        Self::At(Attempt::new(Outcome::Deferred, format!("the database: {}", code.as_str())))
    }
}

impl From<TemplateError> for Stop {
    fn from(error: TemplateError) -> Self {
        Self::At(Attempt::new(Outcome::Refused, error.to_string()))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::At(failure.into())
    }
}
