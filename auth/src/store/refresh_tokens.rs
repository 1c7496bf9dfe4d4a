//! Refresh tokens, a row a generation.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::refresh_token::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result};
use crate::domain::refresh_token::Generation;

impl<C: ConnectionTrait> Queries<C> {
    /// The generation with this selector.
    pub async fn refresh_token_by_selector(&self, selector: &str) -> Result<Option<Generation>> {
        Ok(Entity::find_by_id(selector.to_owned()).one(self.conn()).await?.map(Generation::from))
    }

    /// Adds a generation.
    pub async fn insert_refresh_token(&self, generation: &Generation, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            selector: Set(generation.selector.clone()),
            session_id: Set(generation.session_id),
            verifier_hash: Set(generation.verifier_hash.clone()),
            generation: Set(i32::try_from(generation.number).unwrap_or(i32::MAX)),
            jti: Set(generation.jti),
            access_expires_at: Set(generation.access_expires_at),
            created_at: Set(now),
            used_at: Set(None),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Exchanges a generation. Of all who try, one gets `true`.
    pub async fn mark_refresh_token_used(&self, selector: &str, now: DateTime<Utc>) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::UsedAt, Expr::value(now))
            .filter(Column::Selector.eq(selector))
            .filter(Column::UsedAt.is_null())
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// The access tokens of these sessions that have not expired: session, id, end.
    pub async fn list_live_access_tokens(
        &self,
        session_ids: &[Uuid],
        now: DateTime<Utc>,
    ) -> Result<Vec<Generation>> {
        let rows = Entity::find()
            .filter(Column::SessionId.is_in(session_ids.iter().copied()))
            .filter(Column::AccessExpiresAt.gt(now))
            .all(self.conn())
            .await?;
        Ok(rows.into_iter().map(Generation::from).collect())
    }

    /// Forgets generations that were exchanged before this; how many. By then using one again finds no
    /// row and is refused as unknown.
    pub async fn purge_refresh_tokens(&self, before: DateTime<Utc>, limit: u64) -> Result<u64> {
        let used = Entity::find()
            .select_only()
            .column(Column::Selector)
            .filter(Column::UsedAt.lt(before))
            .limit(limit);
        let done = Entity::delete_many()
            .filter(Column::Selector.in_subquery(used.into_query()))
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected)
    }
}

impl From<Model> for Generation {
    fn from(row: Model) -> Self {
        Self {
            selector: row.selector,
            session_id: row.session_id,
            verifier_hash: row.verifier_hash,
            number: u32::try_from(row.generation).unwrap_or(0),
            jti: row.jti,
            access_expires_at: row.access_expires_at,
            used_at: row.used_at,
        }
    }
}
