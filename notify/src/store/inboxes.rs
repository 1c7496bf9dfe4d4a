//! Inboxes: where each stands, and the two ways that moves. Whoever changes a notification's part in the
//! count holds the row of its inbox first: places have no gaps, and the count is the truth.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use uuid::Uuid;

use super::entity::inbox;
use super::{Queries, Result, StoreError, corrupt};
use crate::domain::notification::Standing;

/// An inbox as it is stored: where it stands, and up to where all was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inbox {
    pub(super) standing: Standing,
    pub(super) read_up_to_seq: u32,
    pub(super) read_up_to_at: Option<DateTime<Utc>>,
}

impl<C: ConnectionTrait> Queries<C> {
    /// Where a user's inbox stands; at nothing where nothing ever came.
    pub(crate) async fn standing_of(&self, user_id: Uuid) -> Result<Standing> {
        Ok(self.inbox_of(user_id).await?.map(|inbox| inbox.standing).unwrap_or_default())
    }

    /// Where these users' inboxes stand; users without one are left out.
    pub(crate) async fn list_standings(&self, user_ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Standing>> {
        let wanted = inbox::Column::UserId.is_in(user_ids.iter().copied());
        let rows = inbox::Entity::find().filter(wanted).all(&self.0).await?;
        rows.iter().map(|row| Ok((row.user_id, read(row)?.standing))).collect()
    }

    /// Marks all in an inbox as read: one row, however many there are. Nothing where all was read before.
    pub(crate) async fn mark_inbox_read(
        &self,
        user_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<Standing>> {
        let rows = inbox::Entity::update_many()
            .col_expr(inbox::Column::ReadUpToSeq, Expr::col(inbox::Column::Seq))
            .col_expr(inbox::Column::ReadUpToAt, Expr::value(Some(now)))
            .col_expr(inbox::Column::UnreadCount, Expr::value(0))
            .col_expr(inbox::Column::Revision, Expr::col(inbox::Column::Revision).add(1))
            .filter(inbox::Column::UserId.eq(user_id))
            .filter(inbox::Column::UnreadCount.gt(0))
            .exec_with_returning(&self.0)
            .await?;
        rows.first().map(|row| Ok(read(row)?.standing)).transpose()
    }

    pub(super) async fn inbox_of(&self, user_id: Uuid) -> Result<Option<Inbox>> {
        let row = inbox::Entity::find_by_id(user_id).one(&self.0).await?;
        row.as_ref().map(read).transpose()
    }

    /// The same, which nobody else changes until the transaction ends.
    pub(super) async fn lock_inbox(&self, user_id: Uuid) -> Result<Option<Inbox>> {
        // On SQLite the transaction is the only writer already.
        let row = inbox::Entity::find_by_id(user_id).lock_exclusive().one(&self.0).await?;
        row.as_ref().map(read).transpose()
    }

    /// Makes room for one more unread notification in each of these inboxes, and holds their rows; where
    /// they stand then. Always in the same order, so that two never wait for each other.
    pub(super) async fn raise_inboxes(&self, user_ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Standing>> {
        let first = user_ids.iter().map(|user_id| inbox::ActiveModel {
            user_id: Set(*user_id),
            seq: Set(1),
            unread_count: Set(1),
            revision: Set(1),
            read_up_to_seq: Set(0),
            read_up_to_at: Set(None),
        });
        let raised = |column: inbox::Column| (column, Expr::col((inbox::Entity, column)).add(1));
        let next = OnConflict::column(inbox::Column::UserId)
            .values([inbox::Column::Seq, inbox::Column::UnreadCount, inbox::Column::Revision].map(raised))
            .to_owned();
        let rows = inbox::Entity::insert_many(first).on_conflict(next).exec_with_returning(&self.0).await?;
        rows.iter().map(|row| Ok((row.user_id, read(row)?.standing))).collect()
    }

    /// One notification fewer is unread; where the inbox, whose row is held, stands then.
    pub(super) async fn lower_unread(&self, user_id: Uuid) -> Result<Standing> {
        let rows = inbox::Entity::update_many()
            .col_expr(inbox::Column::UnreadCount, Expr::col(inbox::Column::UnreadCount).sub(1))
            .col_expr(inbox::Column::Revision, Expr::col(inbox::Column::Revision).add(1))
            .filter(inbox::Column::UserId.eq(user_id))
            .exec_with_returning(&self.0)
            .await?;
        Ok(read(rows.first().ok_or_else(|| corrupt("inbox"))?)?.standing)
    }
}

fn read(row: &inbox::Model) -> Result<Inbox> {
    Ok(Inbox {
        standing: Standing {
            seq: count(row.seq)?,
            unread_count: count(row.unread_count)?,
            revision: count(row.revision)?,
        },
        read_up_to_seq: count(row.read_up_to_seq)?,
        read_up_to_at: row.read_up_to_at,
    })
}

/// Counts are never negative; the column's type knows only half of them.
pub(super) fn count(stored: i32) -> Result<u32> {
    u32::try_from(stored).map_err(|_| -> StoreError { corrupt("count") })
}

/// A count as its column holds it; beyond what it holds is beyond everything there is.
pub(super) fn column(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
