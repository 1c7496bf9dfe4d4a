//! The steps that bring the schema `notify` to its present shape, in order. A step that was released is
//! never edited.

mod m0001_deliveries;
mod m0002_inbox;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Every step, the oldest first.
#[derive(Debug)]
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_deliveries::Migration),
            Box::new(jobs::Migration),
            Box::new(m0002_inbox::Migration),
        ]
    }
}
