//! Signing keys.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use super::entity::counter;
use super::entity::signing_key::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result};
use crate::domain::signing_key::{Ring, SigningKey, Status};

impl<C: ConnectionTrait> Queries<C> {
    /// The keys of a ring, the oldest first.
    pub async fn list_signing_keys(&self, ring: Ring) -> Result<Vec<SigningKey>> {
        let rows = Entity::find()
            .filter(Column::Ring.eq(ring.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Kid)
            .all(self.conn())
            .await?;
        Ok(rows.into_iter().map(SigningKey::from).collect())
    }

    /// Holds a ring until the transaction ends: one process at a time turns it.
    pub async fn lock_ring(&self, ring: Ring) -> Result<()> {
        let name = format!("ring:{}", ring.as_str());
        let start = counter::ActiveModel { name: Set(name.clone()), value: Set(0) };
        let ignore = OnConflict::column(counter::Column::Name).do_nothing().to_owned();
        counter::Entity::insert(start).on_conflict(ignore).exec_without_returning(self.conn()).await?;
        counter::Entity::update_many()
            .col_expr(counter::Column::Value, Expr::value(1))
            .filter(counter::Column::Name.eq(name))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Adds a key to a ring.
    pub async fn insert_signing_key(&self, ring: Ring, key: &SigningKey) -> Result<()> {
        let row = ActiveModel {
            kid: Set(key.kid.clone()),
            ring: Set(ring.as_str().to_owned()),
            algorithm: Set(ring.algorithm().to_owned()),
            status: Set(key.status.as_str().to_owned()),
            public_jwk: Set(key.public_jwk.clone()),
            private_sealed: Set(key.private_sealed.clone()),
            created_at: Set(key.created_at),
            changed_at: Set(key.changed_at),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Moves a key on in its life.
    pub async fn mark_signing_key_status(&self, kid: &str, status: Status, now: DateTime<Utc>) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Status, Expr::value(status.as_str()))
            .col_expr(Column::ChangedAt, Expr::value(now))
            .filter(Column::Kid.eq(kid))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Forgets a key: what it signed has expired.
    pub async fn purge_signing_key(&self, kid: &str) -> Result<()> {
        Entity::delete_by_id(kid.to_owned()).exec(self.conn()).await?;
        Ok(())
    }
}

impl From<Model> for SigningKey {
    fn from(row: Model) -> Self {
        Self {
            kid: row.kid,
            status: Status::parse(&row.status),
            public_jwk: row.public_jwk,
            private_sealed: row.private_sealed,
            created_at: row.created_at,
            changed_at: row.changed_at,
        }
    }
}
