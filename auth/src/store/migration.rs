//! The steps that bring the schema `auth` to its present shape, in order. A step that was released is
//! never edited.

mod m0001_identity;

use sea_orm_migration::{MigrationTrait, MigratorTrait, async_trait};

/// Every step, the oldest first.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_identity::Migration), Box::new(jobs::Migration)]
    }
}
