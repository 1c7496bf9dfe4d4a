//! Tells users of a tenant something, as an administrator asks: at once in their inboxes, and over the
//! channels that have words for it. A key makes repeating safe.

use std::collections::BTreeMap;

use proto::{ErrorCode, ServiceError};
use uuid::Uuid;

use super::take_event::owed;
use crate::app::App;
use crate::domain::delivery::Delivery;
use crate::domain::event::Event;
use crate::domain::hint::Hint;
use crate::domain::notification::{NewNotification, Words};
use crate::domain::recipient::Recipient;
use crate::domain::sending::{Sending, Sent};
use crate::store::SendKey;

/// Sends, or answers what was sent with the same key before.
pub(crate) async fn send_notification(app: &App, sending: Sending) -> Result<Sent, ServiceError> {
    if let Some(before) = sent_before(app, &sending).await? {
        return Ok(before);
    }
    let event = event(app, &sending);
    let given = given_words(app, &sending)?;
    let mut recipients = app.directory.recipients(&sending.user_ids).await?;
    recipients.retain(|_, recipient| recipient.tenant_id == sending.sender.tenant_id);
    let coming = compose(app, &event, &recipients, given.as_ref())?;
    // Words that were given are for the inbox only.
    let deliveries = if given.is_none() { owed(app, &event, recipients.keys()) } else { Vec::new() };

    let accepted = u32::try_from(recipients.len()).unwrap_or(u32::MAX);
    let sent = Sent { event_id: event.id, accepted };
    match remember(app, &sending, &sent, Owed { event, coming, deliveries }).await? {
        Some(hints) => {
            app.wakes.notify();
            app.pushes.tell(hints);
            tracing::info!(event_id = %sent.event_id, kind = sending.kind, accepted, "notification sent");
            Ok(sent)
        }
        // Somebody was first with the same key: theirs is the answer.
        None => sent_before(app, &sending).await?.ok_or_else(|| ServiceError::internal("the key is gone")),
    }
}

/// What is owed for an event.
struct Owed {
    event: Event,
    coming: Vec<NewNotification>,
    deliveries: Vec<Delivery>,
}

async fn sent_before(app: &App, sending: &Sending) -> Result<Option<Sent>, ServiceError> {
    let Some(key) = &sending.key else { return Ok(None) };
    let Some(known) = app.store.send_key_by_key(sending.sender, key, app.clock.now()).await? else {
        return Ok(None);
    };
    if known.fingerprint != sending.fingerprint() {
        return Err(ErrorCode::IdempotencyKeyReused.into());
    }
    Ok(Some(known.sent))
}

/// Nothing where a template finds the words.
fn given_words(app: &App, sending: &Sending) -> Result<Option<Words>, ServiceError> {
    if app.templates.has_note(&sending.kind) {
        return Ok(None);
    }
    let title = sending.title.as_deref().unwrap_or_default();
    let words = Words::new(title, sending.body.as_deref().unwrap_or_default());
    let missing = || ServiceError::invalid("title", "is required, as no template has one for this type");
    words.map(Some).ok_or_else(missing)
}

fn event(app: &App, sending: &Sending) -> Event {
    let now = app.clock.now();
    Event {
        id: app.ids.uuid(now),
        tenant_id: sending.sender.tenant_id,
        kind: sending.kind.clone(),
        data: sending.data.clone(),
        secret_reference: None,
        occurred_at: now,
    }
}

fn compose(
    app: &App,
    event: &Event,
    recipients: &BTreeMap<Uuid, Recipient>,
    given: Option<&Words>,
) -> Result<Vec<NewNotification>, ServiceError> {
    let compose = |(user_id, recipient): (&Uuid, &Recipient)| {
        let words = match given {
            Some(words) => words.clone(),
            None => {
                app.templates.note(&event.kind, &app.speech(event, recipient, None)).map_err(|error| {
                    ServiceError::invalid("data", "lacks what the template speaks of").source(error)
                })?
            }
        };
        Ok(NewNotification { id: app.ids.uuid(event.occurred_at), user_id: *user_id, words })
    };
    recipients.iter().map(compose).collect()
}

/// Everything in one transaction; what windows are to be told. Nothing where the key was taken meanwhile.
async fn remember(
    app: &App,
    sending: &Sending,
    sent: &Sent,
    owed: Owed,
) -> Result<Option<Vec<Hint>>, ServiceError> {
    let Owed { event, coming, deliveries } = owed;
    let now = event.occurred_at;
    let tx = app.store.begin().await?;
    if let Some(key) = &sending.key {
        let (sender, fingerprint) = (sending.sender, sending.fingerprint());
        let key = SendKey { sender, key: key.clone(), fingerprint, sent: sent.clone() };
        if !tx.insert_send_key(&key, now).await? {
            return Ok(None);
        }
    }
    tx.insert_event(&event, now).await?;
    tx.insert_deliveries(&deliveries, now).await?;
    let placed = tx.insert_notifications(&event, &coming, now).await?;
    tx.commit().await?;
    let hint = |(user_id, notification, standing)| Hint::came(user_id, notification, standing);
    Ok(Some(placed.into_iter().map(hint).collect()))
}
