//! Excerpts of inboxes: pages of a list, and what came since.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder as _, QuerySelect as _, Select,
    sea_query::Expr,
};
use uuid::Uuid;

use super::entity::notification::{self, Column};
use super::inboxes::{Inbox, column, count};
use super::{Queries, Result, corrupt};
use crate::domain::notification::{Filter, Notification, Standing, Words};

/// Where a page of a list begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Start {
    /// After so many rows.
    Offset(u64),
    /// After the notification at this place, which is older than all before it.
    Below(u32),
}

/// A page of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// Of which notifications.
    pub(crate) filter: Filter,
    /// Where it begins.
    pub(crate) start: Start,
    /// How many it holds at most.
    pub(crate) limit: u64,
}

/// A part of an inbox, and where that stood when it was looked at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Excerpt {
    /// The notifications.
    pub(crate) notifications: Vec<Notification>,
    /// Whether more of what was asked for follow.
    pub(crate) more: bool,
    /// Where the inbox stood.
    pub(crate) standing: Standing,
}

impl<C: ConnectionTrait> Queries<C> {
    /// Some of a user's notifications, the newest first; they are seen from now on.
    pub(crate) async fn show_notifications(
        &self,
        user_id: Uuid,
        page: &Page,
        now: DateTime<Utc>,
    ) -> Result<Excerpt> {
        let Some(inbox) = self.inbox_of(user_id).await? else { return Ok(Excerpt::default()) };
        let archived = match page.filter {
            Filter::Archived => Column::ArchivedAt.is_not_null(),
            Filter::Kept | Filter::Unread => Column::ArchivedAt.is_null(),
        };
        let mut wanted = up_to(&inbox, user_id).filter(archived).order_by(Column::Seq, Order::Desc);
        if page.filter == Filter::Unread {
            let unread = Column::Seq.gt(column(inbox.read_up_to_seq));
            wanted = wanted.filter(Column::ReadAt.is_null()).filter(unread);
        }
        wanted = match page.start {
            Start::Offset(rows) => wanted.offset(rows),
            Start::Below(seq) => wanted.filter(Column::Seq.lt(column(seq))),
        };
        let (mut rows, more) = self.at_most(page.limit, wanted).await?;
        self.keep_as_shown(&mut rows, &inbox, now).await?;
        excerpt(&inbox, rows, more)
    }

    /// A user's notifications after the given place, the oldest first.
    pub(crate) async fn list_notifications_since(
        &self,
        user_id: Uuid,
        since: u32,
        limit: u64,
    ) -> Result<Excerpt> {
        let Some(inbox) = self.inbox_of(user_id).await? else { return Ok(Excerpt::default()) };
        let missed = up_to(&inbox, user_id).filter(Column::Seq.gt(column(since)));
        let (rows, more) = self.at_most(limit, missed.order_by(Column::Seq, Order::Asc)).await?;
        excerpt(&inbox, rows, more)
    }

    /// The first rows, and whether more follow.
    async fn at_most(
        &self,
        limit: u64,
        wanted: Select<notification::Entity>,
    ) -> Result<(Vec<notification::Model>, bool)> {
        let mut rows = wanted.limit(limit + 1).all(&self.0).await?;
        let more = rows.len() as u64 > limit;
        if more {
            rows.pop();
        }
        Ok((rows, more))
    }

    /// Writes down what is shown of these for the first time: that they were seen, and since when those
    /// are read that the watermark has passed, which a later one would move.
    async fn keep_as_shown(
        &self,
        rows: &mut [notification::Model],
        inbox: &Inbox,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let (mut unseen, mut passed) = (Vec::new(), Vec::new());
        for row in rows {
            if row.seen_at.is_none() {
                row.seen_at = Some(now);
                unseen.push(row.id);
            }
            if row.read_at.is_none() && read_at(row, inbox).is_some() {
                passed.push(row.id);
            }
        }
        let kept = [(Column::SeenAt, unseen, Some(now)), (Column::ReadAt, passed, inbox.read_up_to_at)];
        for (column, ids, time) in kept.into_iter().filter(|(_, ids, _)| !ids.is_empty()) {
            let first = notification::Entity::update_many().col_expr(column, Expr::value(time));
            first.filter(Column::Id.is_in(ids)).filter(column.is_null()).exec(&self.0).await?;
        }
        Ok(())
    }
}

/// What stood in an inbox when it was looked at: what came meanwhile is left to the next look, so that a
/// list and its counts agree.
fn up_to(inbox: &Inbox, user_id: Uuid) -> Select<notification::Entity> {
    notification::Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Seq.lte(column(inbox.standing.seq)))
}

fn excerpt(inbox: &Inbox, rows: Vec<notification::Model>, more: bool) -> Result<Excerpt> {
    let notifications = rows.into_iter().map(|row| read(row, inbox)).collect::<Result<_>>()?;
    Ok(Excerpt { notifications, more, standing: inbox.standing })
}

/// Read by itself, or with all others up to the watermark.
fn read_at(row: &notification::Model, inbox: &Inbox) -> Option<DateTime<Utc>> {
    row.read_at.or(inbox.read_up_to_at.filter(|_| row.seq <= column(inbox.read_up_to_seq)))
}

fn read(row: notification::Model, inbox: &Inbox) -> Result<Notification> {
    let read_at = read_at(&row, inbox);
    let serde_json::Value::Object(data) = row.data else { return Err(corrupt("notification")) };
    Ok(Notification {
        id: row.id,
        seq: count(row.seq)?,
        kind: row.kind,
        words: Words { title: row.title, body: row.body },
        data,
        created_at: row.created_at,
        seen_at: row.seen_at,
        read_at,
        archived_at: row.archived_at,
    })
}
