//! Tenants.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::entity::tenant::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result};
use crate::domain::tenant::Tenant;

impl<C: ConnectionTrait> Queries<C> {
    /// The tenant with this id.
    pub async fn tenant_by_id(&self, id: Uuid) -> Result<Option<Tenant>> {
        Ok(Entity::find_by_id(id).one(self.conn()).await?.map(Tenant::from))
    }

    /// The tenant with this short name.
    pub async fn tenant_by_slug(&self, slug: &str) -> Result<Option<Tenant>> {
        Ok(Entity::find().filter(Column::Slug.eq(slug)).one(self.conn()).await?.map(Tenant::from))
    }

    /// Adds a tenant, if it is not there.
    pub async fn insert_tenant(&self, tenant: &Tenant, name: &str, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            id: Set(tenant.id),
            slug: Set(tenant.slug.clone()),
            name: Set(name.to_owned()),
            status: Set(if tenant.suspended { "suspended" } else { "active" }.to_owned()),
            created_at: Set(now),
        };
        let ignore = OnConflict::column(Column::Id).do_nothing().to_owned();
        Entity::insert(row).on_conflict(ignore).exec_without_returning(self.conn()).await?;
        Ok(())
    }
}

impl From<Model> for Tenant {
    fn from(row: Model) -> Self {
        Self { id: row.id, slug: row.slug, suspended: row.status != "active" }
    }
}
