//! Roles, who holds them, and the sequence of permission versions.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::Value;
use uuid::Uuid;

use super::entity::{counter, role, user_role};
use super::{Queries, Result, from_column, to_column};
use crate::domain::role::{Rights, Role};
use crate::domain::user::User;

/// The sequence every change of rights takes its version from.
const VERSIONS: &str = "permission_version";

impl<C: ConnectionTrait> Queries<C> {
    /// All roles of a tenant, by name.
    pub async fn list_roles(&self, tenant_id: Uuid) -> Result<BTreeMap<String, Role>> {
        let rows = role::Entity::find().filter(role::Column::TenantId.eq(tenant_id)).all(self.conn()).await?;
        Ok(rows.into_iter().map(|row| (row.name.clone(), Role::from(row))).collect())
    }

    /// The role with this name, which nobody else changes until the transaction ends.
    pub async fn role_by_name_for_update(&self, tenant_id: Uuid, name: &str) -> Result<Option<Role>> {
        let row =
            role::Entity::find_by_id((tenant_id, name.to_owned())).lock_exclusive().one(self.conn()).await?;
        Ok(row.map(Role::from))
    }

    /// Adds a seeded role, if it is not there.
    pub async fn insert_role(&self, tenant_id: Uuid, role: &Role) -> Result<()> {
        let row = role::ActiveModel {
            tenant_id: Set(tenant_id),
            name: Set(role.name.clone()),
            permissions: Set(Value::from(role.permissions.clone())),
            inherits: Set(Value::from(role.inherits.clone())),
            version: Set(to_column(role.version)),
            seeded: Set(true),
        };
        let ignore =
            OnConflict::columns([role::Column::TenantId, role::Column::Name]).do_nothing().to_owned();
        role::Entity::insert(row).on_conflict(ignore).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// The names of the roles a user holds, in order.
    pub async fn list_user_roles(&self, user_id: Uuid) -> Result<Vec<String>> {
        let rows = user_role::Entity::find()
            .filter(user_role::Column::UserId.eq(user_id))
            .order_by_asc(user_role::Column::Role)
            .all(self.conn())
            .await?;
        Ok(rows.into_iter().map(|row| row.role).collect())
    }

    /// What a user's roles come to.
    pub async fn rights_of_user(&self, user: &User) -> Result<Rights> {
        let held = self.list_user_roles(user.id).await?;
        let roles = self.list_roles(user.tenant_id).await?;
        Ok(Rights::of(&held, &roles, user.permission_version))
    }

    /// Gives a user a role.
    pub async fn insert_user_role(&self, tenant_id: Uuid, user_id: Uuid, role: &str) -> Result<()> {
        let row = user_role::ActiveModel {
            tenant_id: Set(tenant_id),
            user_id: Set(user_id),
            role: Set(role.to_owned()),
        };
        let ignore =
            OnConflict::columns([user_role::Column::UserId, user_role::Column::Role]).do_nothing().to_owned();
        user_role::Entity::insert(row).on_conflict(ignore).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Takes every role from a user.
    pub async fn purge_user_roles(&self, user_id: Uuid) -> Result<()> {
        user_role::Entity::delete_many()
            .filter(user_role::Column::UserId.eq(user_id))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Whether anybody of the tenant but this user holds the role.
    pub async fn is_role_held_by_others(&self, tenant_id: Uuid, role: &str, user_id: Uuid) -> Result<bool> {
        let others = user_role::Entity::find()
            .filter(user_role::Column::TenantId.eq(tenant_id))
            .filter(user_role::Column::Role.eq(role))
            .filter(user_role::Column::UserId.ne(user_id))
            .limit(1)
            .count(self.conn())
            .await?;
        Ok(others > 0)
    }

    /// The next permission version. Whoever took one holds the sequence until the transaction ends, so
    /// that versions come to light in their order.
    pub async fn next_permission_version(&self) -> Result<u64> {
        let start = counter::ActiveModel { name: Set(VERSIONS.to_owned()), value: Set(0) };
        let ignore = OnConflict::column(counter::Column::Name).do_nothing().to_owned();
        counter::Entity::insert(start).on_conflict(ignore).exec_without_returning(self.conn()).await?;
        let rows = counter::Entity::update_many()
            .col_expr(counter::Column::Value, Expr::col(counter::Column::Value).add(1))
            .filter(counter::Column::Name.eq(VERSIONS))
            .exec_with_returning(self.conn())
            .await?;
        Ok(rows.first().map_or(0, |row| from_column(row.value)))
    }
}

impl From<role::Model> for Role {
    fn from(row: role::Model) -> Self {
        Self {
            name: row.name,
            permissions: names(&row.permissions),
            inherits: names(&row.inherits),
            version: from_column(row.version),
        }
    }
}

fn names(value: &Value) -> Vec<String> {
    let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
    names.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
