//! Finds the words of an event for one reader's inbox. Writing them there is the job's affair.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::event::Event;
use crate::domain::notification::NewNotification;
use crate::store::Composition;
use crate::templates::TemplateError;

/// A notification that is to come into an inbox, and what it tells of.
#[derive(Clone, Debug)]
pub(crate) struct Composed {
    /// The event.
    pub(crate) event: Event,
    /// The notification.
    pub(crate) new: NewNotification,
}

/// Why there is no notification.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Uncomposed {
    /// There will never be one.
    #[error("{0}")]
    Never(&'static str),
    /// auth or the database is away.
    #[error("{}: {}", .0.code().as_str(), .0)]
    NotYet(ServiceError),
    /// The template cannot be used.
    #[error(transparent)]
    Broken(#[from] TemplateError),
}

/// Composes the notification `id`.
pub(crate) async fn compose_notification(
    app: &App,
    id: Uuid,
    composition: Composition,
) -> Result<Composed, Uncomposed> {
    let Composition { event_id, user_id } = composition;
    let event = app.store.event_by_id(event_id).await.map_err(ServiceError::from)?;
    let event = event.ok_or(Uncomposed::Never("the event is gone"))?;
    let notified = app.store.is_notified(event_id, user_id).await.map_err(ServiceError::from)?;
    if notified {
        return Err(Uncomposed::Never("it stands there already"));
    }
    let recipient = app.directory.recipient(user_id).await?;
    let recipient = recipient.filter(|recipient| recipient.tenant_id == event.tenant_id);
    let recipient = recipient.ok_or(Uncomposed::Never("there is no such user"))?;
    let words = app.templates.note(&event.kind, &app.speech(&event, &recipient, None))?;
    Ok(Composed { new: NewNotification { id, user_id, words }, event })
}

impl From<ServiceError> for Uncomposed {
    fn from(error: ServiceError) -> Self {
        Self::NotYet(error)
    }
}
