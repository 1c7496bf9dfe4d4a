//! Rows of the table `user_account`.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "user_account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub tenant_id: Uuid,
    pub email: String,
    pub email_verified_at: Option<DateTimeUtc>,
    pub username: Option<String>,
    pub username_key: Option<String>,
    pub display_name: Option<String>,
    pub phone: Option<String>,
    pub phone_verified_at: Option<DateTimeUtc>,
    pub locale: String,
    pub time_zone: Option<String>,
    pub status: String,
    #[sea_orm(column_type = "Text")]
    pub password_hash: String,
    pub permission_version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
