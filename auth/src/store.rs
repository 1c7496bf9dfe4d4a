//! What auth remembers: queries per aggregate, on the pool or inside a transaction. Rows and columns
//! are named here and nowhere else; domain types come in and go out, and nothing is decided.

mod audit_records;
mod entity;
mod links;
mod migration;
mod outbox;
mod refresh_tokens;
mod roles;
mod sessions;
mod signing_keys;
mod tenants;
mod users;

use chassis::db::{self, DbConfig};
use proto::ServiceError;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr};

pub use outbox::{AccessPublication, OUTBOX, PUBLISH_ACCESS};
pub use sessions::Ended;
pub use users::Account;

/// Queries on whatever runs them.
#[derive(Debug)]
pub struct Queries<C>(C);

/// Queries on the pool, each by itself.
pub type Store = Queries<DatabaseConnection>;
/// Queries inside one transaction.
pub type Tx = Queries<DatabaseTransaction>;

/// Why a query failed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] DbErr);

impl Error {
    /// Whether a row like this is there already.
    pub fn is_unique_violation(&self) -> bool {
        db::is_unique_violation(&self.0)
    }
}

impl From<Error> for ServiceError {
    fn from(error: Error) -> Self {
        db::service_error(error.0)
    }
}

type Result<T> = std::result::Result<T, Error>;

impl Store {
    /// Connects, and brings the schema to its present shape.
    pub async fn open(config: &DbConfig) -> Result<Self> {
        let connection = db::connect(config).await?;
        db::migrate::<migration::Migrator>(&connection).await?;
        Ok(Self(connection))
    }

    /// Begins a transaction; one that is dropped is undone.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(Queries(db::begin(&self.0).await?))
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.0.ping().await?)
    }

    /// The connection, for the durable jobs.
    pub fn connection(&self) -> DatabaseConnection {
        self.0.clone()
    }
}

impl Tx {
    /// Makes the writes last.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl<C: ConnectionTrait> Queries<C> {
    fn conn(&self) -> &C {
        &self.0
    }
}

/// Versions and revisions are kept in signed columns and never reach their sign.
fn to_column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_column(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
