//! Takes an event: remembers it and what is owed for it, once, however often it is told. Whether
//! anybody can be reached is asked when it is written to them, not here.

use proto::ServiceError;
use uuid::Uuid;

use crate::app::App;
use crate::domain::delivery::{Delivery, Status};
use crate::domain::event::{Announcement, Event};
use crate::domain::hint::{Hint, Told};

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is remembered from now on.
    New,
    /// It was taken before; nothing happened.
    Before,
}

/// Takes an event.
pub(crate) async fn take_event(app: &App, announcement: Announcement) -> Result<Taken, ServiceError> {
    let Announcement { event, user_ids } = announcement;
    let now = app.clock.now();
    let told = Told::of_event(&event);
    let deliveries = if told.is_none() { owed(app, &event, &user_ids) } else { Vec::new() };

    let tx = app.store.begin().await?;
    if !tx.insert_event(&event, now).await? {
        return Ok(Taken::Before);
    }
    tx.insert_deliveries(&deliveries, now).await?;
    if told.is_none() && app.templates.has_note(&event.kind) {
        tx.insert_compositions(event.id, &user_ids, &app.ids, now).await?;
    }
    tx.commit().await?;

    app.wakes.notify();
    if let Some(told) = told {
        let hint = |user_id| Hint { id: app.ids.uuid(now), user_id, told: told.clone() };
        app.pushes.tell(user_ids.into_iter().map(hint).collect());
    }
    tracing::info!(event_id = %event.id, kind = event.kind, deliveries = deliveries.len(), "event taken");
    Ok(Taken::New)
}

/// A delivery to each of these users over each channel that has words for the event.
pub(crate) fn owed<'a>(
    app: &App,
    event: &Event,
    user_ids: impl IntoIterator<Item = &'a Uuid>,
) -> Vec<Delivery> {
    let now = app.clock.now();
    let channels = app.templates.channels(&event.kind);
    let pairs =
        user_ids.into_iter().flat_map(|user_id| channels.iter().map(move |channel| (user_id, channel)));
    let delivery = |(user_id, channel): (&Uuid, &_)| Delivery {
        id: app.ids.uuid(now),
        event_id: event.id,
        user_id: *user_id,
        channel: *channel,
        status: Status::Pending,
    };
    pairs.map(delivery).collect()
}
