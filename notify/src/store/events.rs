//! Events that were taken.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait, TryInsertResult};
use uuid::Uuid;

use super::entity::event;
use super::{Queries, Result, corrupt};
use crate::domain::event::Event;

impl<C: ConnectionTrait> Queries<C> {
    /// Remembers an event; `false` where its id was taken before, by whomever and however long ago. Of
    /// two at once the later waits for the outcome of the earlier.
    pub(crate) async fn insert_event(&self, event: &Event, received_at: DateTime<Utc>) -> Result<bool> {
        let row = event::ActiveModel {
            id: Set(event.id),
            tenant_id: Set(event.tenant_id),
            kind: Set(event.kind.clone()),
            data: Set(event.data.clone().into()),
            secret_reference: Set(event.secret_reference.clone()),
            occurred_at: Set(event.occurred_at),
            received_at: Set(received_at),
        };
        let insert = event::Entity::insert(row).on_conflict_do_nothing();
        let inserted = insert.exec_without_returning(&self.0).await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
    }

    /// The event with this id.
    pub(crate) async fn event_by_id(&self, id: Uuid) -> Result<Option<Event>> {
        let row = event::Entity::find_by_id(id).one(&self.0).await?;
        row.map(event).transpose()
    }
}

fn event(row: event::Model) -> Result<Event> {
    let serde_json::Value::Object(data) = row.data else { return Err(corrupt("event")) };
    Ok(Event {
        id: row.id,
        tenant_id: row.tenant_id,
        kind: row.kind,
        data,
        secret_reference: row.secret_reference,
        occurred_at: row.occurred_at,
    })
}
