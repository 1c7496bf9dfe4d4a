//! Connecting, transactions and migrations, on both databases.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use chassis::db::{self, DbConfig};
use proto::ErrorCode;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use sea_orm_migration::prelude::{
    ColumnDef, DeriveMigrationName, MigrationTrait, MigratorTrait, SchemaManager, Table, async_trait,
};
use testkit::{databases, postgres};

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(CreateNote)]
    }
}

#[derive(DeriveMigrationName)]
struct CreateNote;

#[async_trait::async_trait]
impl MigrationTrait for CreateNote {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let id = ColumnDef::new("id").integer().not_null().primary_key().to_owned();
        manager.create_table(Table::create().table("note").col(id).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("note").to_owned()).await
    }
}

async fn connect(url: &str) -> DatabaseConnection {
    db::connect(&DbConfig::new(url.to_owned().into(), "notes")).await.unwrap()
}

async fn count(connection: &DatabaseConnection) -> i64 {
    let row = connection.query_one_raw(sea_orm::Statement::from_string(
        connection.get_database_backend(),
        "SELECT COUNT(*) FROM note",
    ));
    row.await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn four_processes_starting_at_once_migrate_once() {
    for (kind, url) in databases() {
        let starts = (0..4).map(|_| async {
            let connection = connect(&url).await;
            db::migrate::<Migrator>(&connection).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
            count(&connection).await
        });
        assert_eq!(futures::future::join_all(starts).await, [0; 4], "{kind}");
    }
}

#[tokio::test]
async fn writers_that_read_first_queue_instead_of_failing() {
    for (kind, url) in databases() {
        let connection = connect(&url).await;
        db::migrate::<Migrator>(&connection).await.unwrap();
        let writers = (0..20).map(|id| {
            let connection = connection.clone();
            async move {
                let transaction = db::begin(&connection).await?;
                transaction.execute_unprepared("SELECT COUNT(*) FROM note").await?;
                transaction.execute_unprepared(&format!("INSERT INTO note (id) VALUES ({id})")).await?;
                transaction.commit().await
            }
        });
        for outcome in futures::future::join_all(writers).await {
            outcome.unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
        assert_eq!(count(&connection).await, 20, "{kind}");
    }
}

#[tokio::test]
async fn a_second_of_what_must_be_unique_is_told_as_such() {
    for (kind, url) in databases() {
        let connection = connect(&url).await;
        db::migrate::<Migrator>(&connection).await.unwrap();
        connection.execute_unprepared("INSERT INTO note (id) VALUES (1)").await.unwrap();
        let twice = connection.execute_unprepared("INSERT INTO note (id) VALUES (1)").await.unwrap_err();
        assert!(db::is_unique_violation(&twice), "{kind}");
        assert_eq!(db::service_error(twice).code(), ErrorCode::Internal, "{kind}");
    }
}

#[tokio::test]
async fn each_service_lives_in_its_schema_on_postgres() {
    let url = postgres::fresh_database();
    let connection = connect(&url).await;
    db::migrate::<Migrator>(&connection).await.unwrap();
    connection.execute_unprepared("INSERT INTO notes.note (id) VALUES (1)").await.unwrap();

    let other = db::connect(&DbConfig::new(url.to_string().into(), "other")).await.unwrap();
    other.execute_unprepared("SELECT 1 FROM note").await.unwrap_err();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_cut_off_and_told_as_unavailable() {
    let connection = connect(&postgres::fresh_database()).await;
    connection.execute_unprepared("SET statement_timeout = '50ms'").await.unwrap();
    let slow = connection.execute_unprepared("SELECT pg_sleep(5)").await.unwrap_err();
    assert_eq!(db::service_error(slow).code(), ErrorCode::ServiceUnavailable);
}

#[tokio::test]
async fn a_postgres_that_is_away_is_told_in_time_and_is_back_when_it_is() {
    let mut server = postgres::Server::start();
    let connection = connect(&server.url()).await;
    db::migrate::<Migrator>(&connection).await.unwrap();

    server.stop();
    let begun = Instant::now();
    let away = connection.execute_unprepared("SELECT 1").await.unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let answer = db::service_error(away);
    assert_eq!(answer.code(), ErrorCode::ServiceUnavailable);
    assert_eq!(answer.retry_after_hint(), Some(Duration::from_secs(1)));

    server.restart();
    let begun = Instant::now();
    while connection.execute_unprepared("SELECT 1").await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "it does not heal");
    }
}

#[tokio::test]
async fn a_sqlite_file_is_made_with_its_folders_and_keeps_foreign_keys() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("a/b/notes.db").display());
    let connection = connect(&url).await;
    connection.execute_unprepared("CREATE TABLE a (id INTEGER PRIMARY KEY)").await.unwrap();
    connection.execute_unprepared("CREATE TABLE b (a INTEGER NOT NULL REFERENCES a (id))").await.unwrap();
    connection.execute_unprepared("INSERT INTO b (a) VALUES (1)").await.unwrap_err();
}

#[tokio::test]
async fn a_sqlite_file_and_all_beside_it_can_be_read_by_its_owner_only() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("data/notes");
    let connection = connect(&format!("sqlite://{}", folder.join("notes.db").display())).await;
    db::migrate::<Migrator>(&connection).await.unwrap();
    for (name, expected) in
        [("", 0o700), ("notes.db", 0o600), ("notes.db-wal", 0o600), ("notes.db-shm", 0o600)]
    {
        assert_eq!(mode(&folder.join(name)), expected, "{name}");
    }
    assert_eq!(mode(&home.path().join("data")), 0o700);
}

#[tokio::test]
async fn folders_and_files_that_are_there_keep_their_modes() {
    let home = tempfile::tempdir().unwrap();
    let (folder, file) = (home.path().join("shared"), home.path().join("shared/notes.db"));
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&file, "").unwrap();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o750)).unwrap();
    std::fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
    connect(&format!("sqlite://{}", file.display())).await;
    assert_eq!((mode(&folder), mode(&file)), (0o750, 0o640));
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn a_database_in_memory_keeps_its_tables() {
    let connection = connect("sqlite::memory:").await;
    db::migrate::<Migrator>(&connection).await.unwrap();
    assert_eq!(count(&connection).await, 0);
}

#[tokio::test]
async fn a_foreign_address_is_refused_without_quoting_it() {
    let config = DbConfig::new("mysql://user:hush@localhost/x".to_owned().into(), "notes");
    let problem = db::connect(&config).await.unwrap_err().to_string();
    assert!(!problem.contains("hush"), "{problem}");
}
