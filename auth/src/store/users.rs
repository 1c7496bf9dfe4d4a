//! Users.

use chrono::{DateTime, Utc};
use sea_orm::ActiveValue::{self, NotSet, Set};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use uuid::Uuid;

use super::entity::user_account::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result, from_column, to_column};
use crate::domain::user::{Change, DEFAULT_LOCALE, NewUser, ProfileChange, Status, User, username_key};

/// A user and what proves them.
#[derive(Clone, Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The password's argon2id hash, a PHC string.
    pub password_hash: String,
}

impl<C: ConnectionTrait> Queries<C> {
    /// The user with this id.
    pub async fn user_by_id(&self, id: Uuid) -> Result<Option<User>> {
        Ok(Entity::find_by_id(id).one(self.conn()).await?.map(User::from))
    }

    /// The users with these ids, those that exist.
    pub async fn list_users_by_ids(&self, ids: &[Uuid]) -> Result<Vec<User>> {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(self.conn()).await?;
        Ok(rows.into_iter().map(User::from).collect())
    }

    /// The account with this id.
    pub async fn account_by_id(&self, id: Uuid) -> Result<Option<Account>> {
        self.account(Entity::find_by_id(id)).await
    }

    /// The account with this id, which nobody else changes until the transaction ends.
    pub async fn account_by_id_for_update(&self, id: Uuid) -> Result<Option<Account>> {
        self.account(Entity::find_by_id(id).lock_exclusive()).await
    }

    /// Holds an account until the transaction ends. Whoever changes what belongs to a user (the
    /// password, links, sessions) holds the account first, so that no two wait for each other.
    pub async fn lock_user(&self, id: Uuid) -> Result<()> {
        self.account_by_id_for_update(id).await.map(|_| ())
    }

    /// The account of this canonical address.
    pub async fn account_by_email(&self, tenant_id: Uuid, email: &str) -> Result<Option<Account>> {
        self.account(Entity::find().filter(Column::TenantId.eq(tenant_id)).filter(Column::Email.eq(email)))
            .await
    }

    /// The account of this public name, whatever its case.
    pub async fn account_by_username(&self, tenant_id: Uuid, username: &str) -> Result<Option<Account>> {
        let key = username_key(username);
        self.account(
            Entity::find().filter(Column::TenantId.eq(tenant_id)).filter(Column::UsernameKey.eq(key)),
        )
        .await
    }

    async fn account(&self, query: Select<Entity>) -> Result<Option<Account>> {
        let row = query.one(self.conn()).await?;
        Ok(row.map(|row| Account { password_hash: row.password_hash.clone(), user: User::from(row) }))
    }

    /// Adds a user. Fails on a unique violation where the address or the public name is taken.
    pub async fn insert_user(
        &self,
        id: Uuid,
        tenant_id: Uuid,
        new: &NewUser,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<()> {
        let row = ActiveModel {
            id: Set(id),
            tenant_id: Set(tenant_id),
            email: Set(new.email.clone()),
            email_verified_at: Set(None),
            username: Set(new.username.clone()),
            username_key: Set(new.username.as_deref().map(username_key)),
            display_name: Set(new.display_name.clone()),
            phone: Set(new.phone.clone()),
            phone_verified_at: Set(None),
            locale: Set(new.locale.clone()),
            time_zone: Set(None),
            status: Set(Status::Active.as_str().to_owned()),
            password_hash: Set(password_hash.to_owned()),
            permission_version: Set(0),
            created_at: Set(now),
            updated_at: Set(now),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Puts what was written at a second registration in the place of the first; `false` where the
    /// address was proved meanwhile: then nothing changes.
    pub async fn mark_user_registered_again(
        &self,
        id: Uuid,
        new: &NewUser,
        password_hash: &str,
        now: DateTime<Utc>,
    ) -> Result<bool> {
        let row = ActiveModel {
            username: Set(new.username.clone()),
            username_key: Set(new.username.as_deref().map(username_key)),
            display_name: Set(new.display_name.clone()),
            phone: Set(new.phone.clone()),
            locale: Set(new.locale.clone()),
            password_hash: Set(password_hash.to_owned()),
            updated_at: Set(now),
            ..Default::default()
        };
        let done = Entity::update_many()
            .set(row)
            .filter(Column::Id.eq(id))
            .filter(Column::EmailVerifiedAt.is_null())
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// Remembers that the address was proved; `false` where it was before.
    pub async fn mark_user_verified(&self, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::EmailVerifiedAt, Expr::value(now))
            .col_expr(Column::UpdatedAt, Expr::value(now))
            .filter(Column::Id.eq(id))
            .filter(Column::EmailVerifiedAt.is_null())
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// Sets the password's hash.
    pub async fn mark_user_password(&self, id: Uuid, password_hash: &str, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            id: Set(id),
            password_hash: Set(password_hash.to_owned()),
            updated_at: Set(now),
            ..Default::default()
        };
        Entity::update(row).exec(self.conn()).await?;
        Ok(())
    }

    /// Replaces the hash of an unchanged password, unless the password was changed meanwhile.
    pub async fn mark_user_rehashed(&self, id: Uuid, old_hash: &str, new_hash: &str) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::PasswordHash, Expr::value(new_hash))
            .filter(Column::Id.eq(id))
            .filter(Column::PasswordHash.eq(old_hash))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Raises the version of the user's rights.
    pub async fn mark_user_permission_version(&self, id: Uuid, version: u64) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::PermissionVersion, Expr::value(to_column(version)))
            .filter(Column::Id.eq(id))
            .exec(self.conn())
            .await?;
        Ok(())
    }

    /// Changes what a person says of themselves. Fails on a unique violation where the public name is
    /// taken.
    pub async fn mark_user_profile(&self, id: Uuid, change: ProfileChange, now: DateTime<Utc>) -> Result<()> {
        let mut row = ActiveModel { id: Set(id), updated_at: Set(now), ..Default::default() };
        row.display_name = column(change.display_name);
        row.username_key = match &change.username {
            Change::Set(username) => Set(Some(username_key(username))),
            other => column(other.clone()),
        };
        row.username = column(change.username);
        row.locale = match change.locale {
            Change::Keep => NotSet,
            Change::Set(locale) => Set(locale),
            Change::Clear => Set(DEFAULT_LOCALE.to_owned()),
        };
        row.time_zone = column(change.time_zone);
        Entity::update(row).exec(self.conn()).await?;
        Ok(())
    }
}

fn column(change: Change) -> ActiveValue<Option<String>> {
    match change {
        Change::Keep => NotSet,
        Change::Set(value) => Set(Some(value)),
        Change::Clear => Set(None),
    }
}

impl From<Model> for User {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            email: row.email,
            email_verified: row.email_verified_at.is_some(),
            username: row.username,
            display_name: row.display_name,
            phone: row.phone,
            phone_verified: row.phone_verified_at.is_some(),
            locale: row.locale,
            time_zone: row.time_zone,
            status: Status::parse(&row.status),
            permission_version: from_column(row.permission_version),
            created_at: row.created_at,
        }
    }
}
