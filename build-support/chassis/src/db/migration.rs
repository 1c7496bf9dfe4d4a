//! Migrations, safe to start from several processes at once.

use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, DbErr};
use sea_orm_migration::MigratorTrait;

use super::{begin, failure};

/// How long one process waits for another's migration, and for its own.
const TIMEOUT: Duration = Duration::from_mins(2);

const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Brings the schema up to date: all outstanding steps in one transaction, or none. Whoever comes second
/// waits up to 2 minutes and then finds nothing left to do.
pub async fn migrate<M: MigratorTrait>(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        match migrate_once::<M>(connection).await {
            // SQLite gives up on a lock sooner than a migration may take.
            Err(error) if failure::is_busy(&error) && Instant::now() < deadline => {
                tokio::time::sleep(RETRY_AFTER).await;
            }
            outcome => return outcome,
        }
    }
}

async fn migrate_once<M: MigratorTrait>(connection: &DatabaseConnection) -> Result<(), DbErr> {
    let transaction = begin(connection).await?;
    if transaction.get_database_backend() == DbBackend::Postgres {
        let timeout = TIMEOUT.as_secs();
        let bounds =
            format!("SET LOCAL statement_timeout = '{timeout}s'; SET LOCAL lock_timeout = '{timeout}s'");
        transaction.execute_unprepared(&bounds).await?;
        // One lock for each schema; it ends with the transaction.
        let lock = "SELECT pg_advisory_xact_lock(hashtext('platform.migration'), hashtext(current_schema()))";
        transaction.execute_unprepared(lock).await?;
    }
    M::up(&transaction, None).await?;
    transaction.commit().await
}
