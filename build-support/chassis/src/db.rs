//! The database: connecting within bounds, transactions that cannot deadlock by upgrade, migrations that
//! several processes may start at once, and what a failure means to a caller.
//!
//! One code for PostgreSQL and SQLite; tables and queries are their services'.

mod failure;
mod migration;
mod postgres;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait as _,
};
use secrecy::{ExposeSecret as _, SecretString};

pub use failure::{is_unique_violation, service_error};
pub use migration::migrate;

/// The longest wait for a connection of the pool, and for the server to accept one.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);

/// Which database, and how much of it.
#[derive(Debug, Clone)]
pub struct DbConfig {
    /// `postgres://…` or `sqlite://path`, `sqlite::memory:`.
    pub url: SecretString,
    /// The service's schema on PostgreSQL, `[a-z_]+`; a SQLite file is one by itself.
    pub schema: &'static str,
    /// Connections at most.
    pub pool_size: u32,
    /// A PEM file of authorities to trust for PostgreSQL over TLS.
    pub root_certificates: Option<PathBuf>,
}

impl DbConfig {
    /// A pool of ten connections.
    pub fn new(url: SecretString, schema: &'static str) -> DbConfig {
        DbConfig { url, schema, pool_size: 10, root_certificates: None }
    }
}

/// Connects, and makes the schema or the file where it is missing.
///
/// No statement runs longer than 5 s, no wait for a lock or a connection longer than 2 s. Where the
/// server's host vanishes without a word only the caller's own deadline ends the wait.
pub async fn connect(config: &DbConfig) -> Result<DatabaseConnection, DbErr> {
    let url = config.url.expose_secret();
    match url.split(':').next() {
        Some("postgres" | "postgresql") => postgres::connect(config).await,
        Some("sqlite") => sqlite::connect(url, config.pool_size).await,
        _ => Err(DbErr::Custom("the database address is neither postgres:// nor sqlite://".to_owned())),
    }
}

/// Begins a transaction that will write. On SQLite it takes the write lock at once: one that begins by
/// reading fails at its first write if anybody wrote in between.
pub async fn begin(connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    let sqlite_transaction_mode = Some(SqliteTransactionMode::Immediate);
    connection.begin_with_options(TransactionOptions { sqlite_transaction_mode, ..Default::default() }).await
}
