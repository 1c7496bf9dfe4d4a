//! Tenants, users, roles, sessions, refresh tokens, links, signing keys and the audit trail.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, json, json_null, pk_uuid, string, string_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [tenants(), users(), roles(), user_roles(), sessions(), refresh_tokens(), links()] {
            manager.create_table(table).await?;
        }
        for table in [signing_keys(), audit_records(), counters()] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "counter",
            "audit_record",
            "signing_key",
            "link",
            "refresh_token",
            "session",
            "user_role",
            "role",
            "user_account",
            "tenant",
        ] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn tenants() -> TableCreateStatement {
    Table::create()
        .table("tenant")
        .col(pk_uuid("id"))
        .col(string("slug").unique_key())
        .col(string("name"))
        .col(string("status"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned()
}

fn users() -> TableCreateStatement {
    // `user` is a reserved word of PostgreSQL.
    Table::create()
        .table("user_account")
        .col(pk_uuid("id"))
        .col(uuid("tenant_id"))
        .col(string("email"))
        .col(timestamp_with_time_zone_null("email_verified_at"))
        .col(string_null("username"))
        .col(string_null("username_key"))
        .col(string_null("display_name"))
        .col(string_null("phone"))
        .col(timestamp_with_time_zone_null("phone_verified_at"))
        .col(string("locale"))
        .col(string_null("time_zone"))
        .col(string("status"))
        .col(text("password_hash"))
        .col(big_integer("permission_version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .to_owned()
}

fn roles() -> TableCreateStatement {
    Table::create()
        .table("role")
        .col(uuid("tenant_id"))
        .col(string("name"))
        .col(json("permissions"))
        .col(json("inherits"))
        .col(big_integer("version"))
        .col(boolean("seeded"))
        .primary_key(Index::create().col("tenant_id").col("name"))
        .to_owned()
}

fn user_roles() -> TableCreateStatement {
    Table::create()
        .table("user_role")
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(string("role"))
        .primary_key(Index::create().col("user_id").col("role"))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table("session")
        .col(pk_uuid("id"))
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(string("status"))
        .col(string_null("end_reason"))
        .col(string("auth_method"))
        .col(string_null("ip_address"))
        .col(string_null("user_agent"))
        .col(string("device_type"))
        .col(string_null("location"))
        .col(json_null("login_context"))
        .col(big_integer("revision"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_used_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .to_owned()
}

fn refresh_tokens() -> TableCreateStatement {
    Table::create()
        .table("refresh_token")
        .col(string("selector").primary_key())
        .col(uuid("session_id"))
        .col(text("verifier_hash"))
        .col(integer("generation"))
        .col(uuid("jti"))
        .col(timestamp_with_time_zone("access_expires_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .to_owned()
}

fn links() -> TableCreateStatement {
    Table::create()
        .table("link")
        .col(pk_uuid("id"))
        .col(uuid("tenant_id"))
        .col(uuid("user_id"))
        .col(string("purpose"))
        .col(string("secret_hash"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("used_at"))
        .to_owned()
}

fn signing_keys() -> TableCreateStatement {
    Table::create()
        .table("signing_key")
        .col(string("kid").primary_key())
        .col(string("ring"))
        .col(string("algorithm"))
        .col(string("status"))
        .col(json("public_jwk"))
        .col(text("private_sealed"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("changed_at"))
        .to_owned()
}

fn audit_records() -> TableCreateStatement {
    Table::create()
        .table("audit_record")
        .col(pk_uuid("id"))
        .col(uuid("tenant_id"))
        .col(uuid_null("actor_id"))
        .col(string("action"))
        .col(string_null("target_type"))
        .col(uuid_null("target_id"))
        .col(string("severity"))
        .col(string_null("ip_address"))
        .col(string_null("user_agent"))
        .col(string_null("trace_id"))
        .col(json("metadata"))
        .col(timestamp_with_time_zone("created_at"))
        .col(text_null("seal"))
        .to_owned()
}

fn counters() -> TableCreateStatement {
    Table::create().table("counter").col(string("name").primary_key()).col(big_integer("value")).to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let unique = |name: &str, table: &'static str, columns: &[&'static str]| {
        index(name, table, columns).unique().to_owned()
    };
    vec![
        unique("user_account_email", "user_account", &["tenant_id", "email"]),
        unique("user_account_username", "user_account", &["tenant_id", "username_key"]),
        index("user_role_role", "user_role", &["tenant_id", "role"]),
        index("session_user", "session", &["user_id", "status", "id"]),
        unique("refresh_token_generation", "refresh_token", &["session_id", "generation"]),
        index("link_user", "link", &["user_id", "purpose"]),
        index("signing_key_ring", "signing_key", &["ring", "status"]),
        index("audit_record_tenant", "audit_record", &["tenant_id", "id"]),
        index("audit_record_actor", "audit_record", &["actor_id", "id"]),
    ]
}

fn index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
