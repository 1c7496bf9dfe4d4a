//! Notifications, inboxes, and the keys that make sending repeatable.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, json, pk_uuid, string, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [inboxes(), notifications(), send_keys()] {
            manager.create_table(table).await?;
        }
        for index in [one_place_each(), one_notification_an_event(), send_keys_by_age()] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["send_key", "notification", "inbox"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn inboxes() -> TableCreateStatement {
    Table::create()
        .table("inbox")
        .col(pk_uuid("user_id"))
        .col(integer("seq"))
        .col(integer("unread_count"))
        .col(integer("revision"))
        .col(integer("read_up_to_seq"))
        .col(timestamp_with_time_zone_null("read_up_to_at"))
        .check(Expr::col("unread_count").gte(0))
        .to_owned()
}

fn notifications() -> TableCreateStatement {
    Table::create()
        .table("notification")
        .col(pk_uuid("id"))
        .col(uuid("event_id"))
        .col(uuid("user_id"))
        .col(uuid("tenant_id"))
        .col(integer("seq"))
        .col(string("type"))
        .col(text("title"))
        .col(text("body"))
        .col(json("data"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("seen_at"))
        .col(timestamp_with_time_zone_null("read_at"))
        .col(timestamp_with_time_zone_null("archived_at"))
        .foreign_key(ForeignKey::create().from("notification", "event_id").to("event", "id"))
        .foreign_key(ForeignKey::create().from("notification", "user_id").to("inbox", "user_id"))
        .to_owned()
}

fn send_keys() -> TableCreateStatement {
    Table::create()
        .table("send_key")
        .col(uuid("tenant_id"))
        .col(uuid("caller_id"))
        .col(string("key"))
        .col(string("fingerprint"))
        .col(uuid("event_id"))
        .col(integer("accepted"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("tenant_id").col("caller_id").col("key"))
        .to_owned()
}

/// The order of an inbox; also what lists and catches up walk.
fn one_place_each() -> IndexCreateStatement {
    Index::create()
        .name("notification_seq")
        .table("notification")
        .col("user_id")
        .col("seq")
        .unique()
        .to_owned()
}

/// However often an event is told, it stands in an inbox once.
fn one_notification_an_event() -> IndexCreateStatement {
    Index::create()
        .name("notification_event")
        .table("notification")
        .col("event_id")
        .col("user_id")
        .unique()
        .to_owned()
}

fn send_keys_by_age() -> IndexCreateStatement {
    Index::create().name("send_key_created").table("send_key").col("created_at").to_owned()
}
