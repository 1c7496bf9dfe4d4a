//! A look into the database, past the service: for what has no rpc yet, and for what nobody may find.

use std::time::Duration;

use chassis::db::{DbConfig, connect};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

const PATIENCE: Duration = Duration::from_secs(20);

/// The database of a world.
pub(crate) struct Rows {
    pub(crate) url: String,
    connection: DatabaseConnection,
}

impl Rows {
    /// The database at `url`, whose schema is there.
    pub(crate) async fn open(url: &str) -> Rows {
        let mut config = DbConfig::new(url.to_owned().into(), "auth");
        config.pool_size = 2;
        Rows { url: url.to_owned(), connection: connect(&config).await.unwrap() }
    }

    pub(crate) async fn execute(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap();
    }

    /// The first column of every row, a text.
    pub(crate) async fn select(&self, sql: &str) -> Vec<String> {
        let statement = Statement::from_string(self.connection.get_database_backend(), sql);
        let rows = self.connection.query_all_raw(statement).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect()
    }

    pub(crate) async fn count(&self, from: &str) -> usize {
        self.select(&format!("SELECT CAST(count(*) AS text) FROM {from}")).await[0].parse().unwrap()
    }

    /// Waits until every job of a queue has ended.
    pub(crate) async fn until_done(&self, queue: &str) {
        let open = format!("job WHERE queue = '{queue}' AND state IN ('ready', 'running')");
        let done = async {
            let mut glance = tokio::time::interval(Duration::from_millis(20));
            while self.count(&open).await > 0 {
                glance.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, done).await.is_ok(), "{queue} has work left");
    }

    /// Every table with all it holds, as bytes to be searched.
    pub(crate) async fn everything(&self) -> Vec<u8> {
        if self.connection.get_database_backend() == DbBackend::Postgres {
            let tables = self.select("SELECT CAST(table_name AS text) FROM information_schema.tables WHERE table_schema = 'auth'").await;
            assert!(tables.len() >= 11, "{tables:?}");
            let mut all = String::new();
            for table in tables {
                all.push_str(
                    &self
                        .select(&format!("SELECT CAST(\"{table}\" AS text) FROM \"{table}\""))
                        .await
                        .join("\n"),
                );
            }
            return all.into_bytes();
        }
        // The file itself, which also holds what was deleted and not overwritten.
        let file = self.url.trim_start_matches("sqlite://").split('?').next().unwrap();
        let mut all = std::fs::read(file).unwrap();
        all.extend(std::fs::read(format!("{file}-wal")).unwrap());
        all
    }
}
