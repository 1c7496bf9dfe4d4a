//! The keys that make sending repeatable: what was sent with each, for as long as it is kept.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect as _,
    TryInsertResult,
};

use super::entity::send_key::{self, Column};
use super::inboxes::{column, count};
use super::{Queries, Result};
use crate::domain::sending::{KEY_KEPT, Sender, Sent};

/// How many keys are forgotten at a time.
const PURGE_BATCH: u64 = 1000;

/// What a key stands for.
#[derive(Clone, Debug)]
pub(crate) struct SendKey {
    /// Whose key; the same text is another key to another sender.
    pub(crate) sender: Sender,
    /// The key.
    pub(crate) key: String,
    /// What was asked for with it.
    pub(crate) fingerprint: String,
    /// What came of it.
    pub(crate) sent: Sent,
}

impl<C: ConnectionTrait> Queries<C> {
    /// What a sender's key stands for; nothing once it is a day old.
    pub(crate) async fn send_key_by_key(
        &self,
        sender: Sender,
        key: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<SendKey>> {
        let found = send_key::Entity::find_by_id((sender.tenant_id, sender.user_id, key.to_owned()))
            .filter(Column::CreatedAt.gt(now - KEY_KEPT));
        let row = found.one(&self.0).await?;
        row.map(|row| {
            let sent = Sent { event_id: row.event_id, accepted: count(row.accepted)? };
            Ok(SendKey { sender, key: row.key, fingerprint: row.fingerprint, sent })
        })
        .transpose()
    }

    /// Remembers what a key stands for from now on; `false` where it stands for something already. Of two
    /// at once the later waits for the outcome of the earlier. In a transaction.
    pub(crate) async fn insert_send_key(&self, key: &SendKey, now: DateTime<Utc>) -> Result<bool> {
        send_key::Entity::delete_by_id((key.sender.tenant_id, key.sender.user_id, key.key.clone()))
            .filter(Column::CreatedAt.lte(now - KEY_KEPT))
            .exec(&self.0)
            .await?;
        let row = send_key::ActiveModel {
            tenant_id: Set(key.sender.tenant_id),
            caller_id: Set(key.sender.user_id),
            key: Set(key.key.clone()),
            fingerprint: Set(key.fingerprint.clone()),
            event_id: Set(key.sent.event_id),
            accepted: Set(column(key.sent.accepted)),
            created_at: Set(now),
        };
        let insert = send_key::Entity::insert(row).on_conflict_do_nothing();
        let inserted = insert.exec_without_returning(&self.0).await?;
        Ok(matches!(inserted, TryInsertResult::Inserted(rows) if rows > 0))
    }

    /// Forgets some of the keys that are a day old; how many.
    pub(crate) async fn purge_send_keys(&self, now: DateTime<Utc>) -> Result<u64> {
        let old = send_key::Entity::find().filter(Column::CreatedAt.lte(now - KEY_KEPT)).limit(PURGE_BATCH);
        let mut purged = 0;
        for row in old.all(&self.0).await? {
            let key = (row.tenant_id, row.caller_id, row.key);
            purged += send_key::Entity::delete_by_id(key).exec(&self.0).await?.rows_affected;
        }
        Ok(purged)
    }
}
