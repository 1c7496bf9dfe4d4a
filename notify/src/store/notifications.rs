//! Notifications: what came, and what of it was read.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use super::entity::notification::{self, Column};
use super::inboxes::{column, count};
use super::{Queries, Result, corrupt};
use crate::domain::event::Event;
use crate::domain::notification::{NewNotification, Notification, Standing};

/// What came of marking a notification as read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Marked {
    /// It was unread.
    Now(Standing),
    /// It was read before, and nothing changed.
    Before(Standing),
    /// The user has no such notification.
    Unknown,
}

impl<C: ConnectionTrait> Queries<C> {
    /// Puts notifications of an event into the inboxes of their users, one each, at the next place and
    /// unread; as they stand there, each with where its inbox stands. In a transaction.
    pub(crate) async fn insert_notifications(
        &self,
        event: &Event,
        coming: &[NewNotification],
        now: DateTime<Utc>,
    ) -> Result<Vec<(Uuid, Notification, Standing)>> {
        if coming.is_empty() {
            return Ok(Vec::new());
        }
        let user_ids: BTreeSet<Uuid> = coming.iter().map(|new| new.user_id).collect();
        let standings = self.raise_inboxes(&user_ids).await?;
        let place = |new: &NewNotification| {
            let standing = *standings.get(&new.user_id).ok_or_else(|| corrupt("inbox"))?;
            Ok((new.user_id, new.at(standing.seq, event, now), standing))
        };
        let placed: Vec<_> = coming.iter().map(place).collect::<Result<_>>()?;
        let rows = placed.iter().map(|(user_id, notification, _)| row(*user_id, notification, event));
        notification::Entity::insert_many(rows).exec_without_returning(&self.0).await?;
        Ok(placed)
    }

    /// Whether an event stands in a user's inbox already.
    pub(crate) async fn is_notified(&self, event_id: Uuid, user_id: Uuid) -> Result<bool> {
        let found = notification::Entity::find()
            .filter(Column::EventId.eq(event_id))
            .filter(Column::UserId.eq(user_id));
        Ok(found.one(&self.0).await?.is_some())
    }

    /// Marks one of a user's notifications as read. In a transaction.
    pub(crate) async fn mark_notification_read(
        &self,
        user_id: Uuid,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Marked> {
        // The inbox is held first: between the look at its watermark and the count nothing may move.
        let Some(inbox) = self.lock_inbox(user_id).await? else { return Ok(Marked::Unknown) };
        let marked = notification::Entity::update_many()
            .col_expr(Column::ReadAt, Expr::value(Some(now)))
            .col_expr(Column::SeenAt, Expr::col(Column::SeenAt).if_null(now))
            .filter(Column::Id.eq(id))
            .filter(Column::UserId.eq(user_id))
            .filter(Column::ReadAt.is_null())
            .filter(Column::Seq.gt(column(inbox.read_up_to_seq)))
            .exec(&self.0)
            .await?;
        if marked.rows_affected > 0 {
            return Ok(Marked::Now(self.lower_unread(user_id).await?));
        }
        let known = self.place_of(user_id, id).await?.is_some();
        Ok(if known { Marked::Before(inbox.standing) } else { Marked::Unknown })
    }

    /// The place of one of a user's notifications.
    pub(crate) async fn place_of(&self, user_id: Uuid, id: Uuid) -> Result<Option<u32>> {
        let found = notification::Entity::find_by_id(id).filter(Column::UserId.eq(user_id));
        found.one(&self.0).await?.map(|row| count(row.seq)).transpose()
    }
}

fn row(user_id: Uuid, notification: &Notification, event: &Event) -> notification::ActiveModel {
    notification::ActiveModel {
        id: Set(notification.id),
        event_id: Set(event.id),
        user_id: Set(user_id),
        tenant_id: Set(event.tenant_id),
        seq: Set(column(notification.seq)),
        kind: Set(notification.kind.clone()),
        title: Set(notification.words.title.clone()),
        body: Set(notification.words.body.clone()),
        data: Set(notification.data.clone().into()),
        created_at: Set(notification.created_at),
        seen_at: Set(notification.seen_at),
        read_at: Set(notification.read_at),
        archived_at: Set(notification.archived_at),
    }
}
