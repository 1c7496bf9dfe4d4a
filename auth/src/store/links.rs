//! Links of mails.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait,
};
use uuid::Uuid;

use super::entity::link::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result};
use crate::domain::link::{Link, Purpose};

impl<C: ConnectionTrait> Queries<C> {
    /// The link with this id.
    pub async fn link_by_id(&self, id: Uuid) -> Result<Option<Link>> {
        Ok(Entity::find_by_id(id).one(self.conn()).await?.and_then(read))
    }

    /// Adds a link.
    pub async fn insert_link(&self, link: &Link, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            id: Set(link.id),
            tenant_id: Set(link.tenant_id),
            user_id: Set(link.user_id),
            purpose: Set(link.purpose.as_str().to_owned()),
            secret_hash: Set(link.secret_hash.clone()),
            created_at: Set(now),
            expires_at: Set(link.expires_at),
            used_at: Set(None),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Uses a link. Of all who try, one gets `true`; none after its end.
    pub async fn mark_link_used(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::UsedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(Column::UsedAt.is_null())
            .filter(Column::ExpiresAt.gt(now))
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// Closes every open link of a user for these purposes.
    pub async fn mark_links_closed(
        &self,
        user_id: Uuid,
        purposes: &[Purpose],
        now: DateTime<Utc>,
    ) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::UsedAt, Expr::value(now))
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Purpose.is_in(purposes.iter().map(|purpose| purpose.as_str())))
            .filter(Column::UsedAt.is_null())
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Forgets links that ended before this; how many.
    pub async fn purge_links(&self, before: DateTime<Utc>, limit: u64) -> Result<u64> {
        let ended =
            Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lt(before)).limit(limit);
        let done = Entity::delete_many()
            .filter(Column::Id.in_subquery(ended.into_query()))
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected)
    }
}

/// A row whose purpose is not known opens nothing.
fn read(row: Model) -> Option<Link> {
    Some(Link {
        id: row.id,
        tenant_id: row.tenant_id,
        user_id: row.user_id,
        purpose: Purpose::parse(&row.purpose)?,
        secret_hash: row.secret_hash,
        expires_at: row.expires_at,
        used_at: row.used_at,
    })
}
