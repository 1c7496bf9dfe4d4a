//! SQLite: the embedded default, tuned to serve readers beside one writer.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sea_orm::{DatabaseConnection, DbErr, SqlxSqliteConnector};

use super::ACQUIRE_TIMEOUT;
use super::postgres::connection_error;

/// How long a writer waits for the one before it.
const BUSY_TIMEOUT: Duration = Duration::from_millis(1500);

/// More connections than this only queue at the write lock.
const POOL_SIZE_MAX: u32 = 5;

pub(super) async fn connect(url: &str, pool_size: u32) -> Result<DatabaseConnection, DbErr> {
    let in_memory = url.contains(":memory:");
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| DbErr::Custom("the database address is no sqlite:// URL".to_owned()))?
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With a write-ahead log a commit survives the end of the process; the last ones before a power
        // failure may be lost, and that the embedded default may.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT);
    if !in_memory {
        create_private(options.get_filename()).map_err(|error| connection_error(error.into()))?;
    }
    let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_TIMEOUT).test_before_acquire(false);
    let pool = if in_memory {
        // Each connection would be a database of its own, gone when it closes.
        pool.max_connections(1).idle_timeout(None).max_lifetime(None)
    } else {
        pool.max_connections(pool_size.clamp(1, POOL_SIZE_MAX))
    };
    let pool = pool.connect_with(options).await.map_err(connection_error)?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool))
}

/// Makes a database that only its owner can read: SQLite would make it readable by all. Its write-ahead log
/// and shared memory take its mode over. What is there already is left as it is.
fn create_private(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
