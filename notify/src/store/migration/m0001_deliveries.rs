//! Events, deliveries and their attempts.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    integer, json, pk_uuid, string, string_null, text, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid,
};

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [events(), deliveries(), attempts()] {
            manager.create_table(table).await?;
        }
        manager.create_index(one_delivery_a_channel()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["attempt", "delivery", "event"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        Ok(())
    }
}

fn events() -> TableCreateStatement {
    Table::create()
        .table("event")
        .col(pk_uuid("id"))
        .col(uuid("tenant_id"))
        .col(string("type"))
        .col(json("data"))
        .col(string_null("secret_reference"))
        .col(timestamp_with_time_zone("occurred_at"))
        .col(timestamp_with_time_zone("received_at"))
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    Table::create()
        .table("delivery")
        .col(pk_uuid("id"))
        .col(uuid("event_id"))
        .col(uuid("user_id"))
        .col(string("channel"))
        .col(string("status"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone_null("next_attempt_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .foreign_key(ForeignKey::create().from("delivery", "event_id").to("event", "id"))
        .to_owned()
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table("attempt")
        .col(uuid("delivery_id"))
        .col(integer("number"))
        .col(timestamp_with_time_zone("at"))
        .col(string("outcome"))
        .col(text("detail"))
        .primary_key(Index::create().col("delivery_id").col("number"))
        .foreign_key(ForeignKey::create().from("attempt", "delivery_id").to("delivery", "id"))
        .to_owned()
}

/// However often an event is told, it owes a user one message a channel.
fn one_delivery_a_channel() -> IndexCreateStatement {
    Index::create()
        .name("delivery_event")
        .table("delivery")
        .col("event_id")
        .col("user_id")
        .col("channel")
        .unique()
        .to_owned()
}
