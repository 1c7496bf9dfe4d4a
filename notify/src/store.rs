//! What notify remembers: events, inboxes, deliveries and their attempts, a file an aggregate. The same queries
//! serve the pool and a transaction; domain types go in and come out, and sea-orm is named nowhere else.

mod compositions;
mod deliveries;
mod entity;
mod events;
mod excerpts;
mod inboxes;
mod migration;
mod notifications;
mod send_keys;

use chassis::db::{self, DbConfig};
use proto::ServiceError;
use sea_orm::{DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbErr};

pub(crate) use compositions::{COMPOSITION_QUEUE, Composition};
pub(crate) use deliveries::{DELIVERY_QUEUE, Finding};
pub(crate) use excerpts::{Page, Start};
pub(crate) use notifications::Marked;
pub(crate) use send_keys::SendKey;

/// Queries on a connection of some kind.
pub(crate) struct Queries<C>(C);

/// Queries on the pool; clones share it.
pub(crate) type Store = Queries<DatabaseConnection>;

/// Queries within a transaction of our own, which ends unfulfilled unless it is committed.
pub(crate) type Tx = Queries<DatabaseTransaction>;

/// Queries within a transaction that somebody else commits.
pub(crate) type Within<'tx> = Queries<DatabaseExecutor<'tx>>;

/// A query failed; what it means to a caller is said when it becomes a [`ServiceError`].
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct StoreError(#[from] DbErr);

/// A transaction and a failure as the mechanism of durable jobs knows them.
pub(crate) type JobTransaction = DatabaseTransaction;
pub(crate) type JobFailure = DbErr;

pub(crate) type Result<T> = std::result::Result<T, StoreError>;

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        db::service_error(error.0)
    }
}

impl From<StoreError> for DbErr {
    fn from(error: StoreError) -> Self {
        error.0
    }
}

impl Store {
    /// Connects and brings the schema up to date; several processes may do so at once.
    pub(crate) async fn open(config: &DbConfig) -> Result<Self> {
        let connection = db::connect(config).await?;
        db::migrate::<migration::Migrator>(&connection).await?;
        Ok(Self(connection))
    }

    /// Begins a transaction that will write.
    pub(crate) async fn begin(&self) -> Result<Tx> {
        Ok(Queries(db::begin(&self.0).await?))
    }

    /// Whether the database answers.
    pub(crate) async fn ping(&self) -> Result<()> {
        Ok(self.0.ping().await?)
    }

    /// The connection, for the mechanism of durable jobs.
    pub(crate) fn connection(&self) -> DatabaseConnection {
        self.0.clone()
    }
}

impl Clone for Store {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Tx {
    /// Makes everything since [`Store::begin`] last.
    pub(crate) async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

impl<'tx> Within<'tx> {
    /// Joins a transaction.
    pub(crate) fn of(tx: &'tx DatabaseTransaction) -> Self {
        Self(tx.into())
    }
}

/// What is stored does not read back as what was stored.
fn corrupt(what: &str) -> StoreError {
    StoreError(DbErr::Custom(format!("the stored {what} is none of ours")))
}
