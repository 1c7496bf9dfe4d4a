//! The step that makes the table `job`; services put it into their own migrations.

use sea_orm_migration::prelude::{
    ColumnDef, DbErr, Index, MigrationName, MigrationTrait, SchemaManager, Table, async_trait,
};

/// Makes the table `job` and its indexes.
pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0001_job"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("job")
            .col(ColumnDef::new("id").uuid().not_null().primary_key())
            .col(ColumnDef::new("queue").text().not_null())
            .col(ColumnDef::new("key").text())
            .col(ColumnDef::new("payload").json_binary())
            .col(ColumnDef::new("state").text().not_null())
            .col(ColumnDef::new("attempt").integer().not_null())
            .col(ColumnDef::new("due_at").timestamp_with_time_zone())
            .col(ColumnDef::new("fence").big_integer().not_null())
            .col(ColumnDef::new("last_error").text())
            .col(ColumnDef::new("finished_at").timestamp_with_time_zone())
            .to_owned();
        manager.create_table(table).await?;
        // What a claim walks, in order; jobs that have ended lie behind all others, under null.
        let due = Index::create().name("job_due").table("job").col("queue").col("due_at").to_owned();
        manager.create_index(due).await?;
        let key = Index::create().name("job_key").table("job").col("queue").col("key").unique().to_owned();
        manager.create_index(key).await?;
        let finished = Index::create().name("job_finished").table("job").col("finished_at").to_owned();
        manager.create_index(finished).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("job").to_owned()).await
    }
}
