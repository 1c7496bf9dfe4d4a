//! PostgreSQL: start-up options that hold on every connection, and the service's schema.

use std::str::FromStr as _;
use std::time::Duration;

use sea_orm::sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sea_orm::sqlx::{self, Connection as _, Executor as _, PgConnection};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr, SqlxPostgresConnector};
use secrecy::ExposeSecret as _;

use super::{ACQUIRE_TIMEOUT, DbConfig};

/// Server settings each connection starts with, so that a transaction-mode pooler or a reset cannot lose them.
const SESSION: [(&str, &str); 6] = [
    ("statement_timeout", "5s"),
    ("lock_timeout", "2s"),
    ("idle_in_transaction_session_timeout", "10s"),
    // Lets the server notice a client that vanished, and give its locks back.
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_user_timeout", "20s"),
];

const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
const LIFETIME_MAX: Duration = Duration::from_mins(30);

/// A connection that was used this recently is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// The advisory lock under which schemas are made: two `CREATE SCHEMA IF NOT EXISTS` at once can both fail.
const SCHEMA_LOCK: i64 = 0x706c_6174_666f_726d;

pub(super) async fn connect(config: &DbConfig) -> Result<DatabaseConnection, DbErr> {
    let mut options = PgConnectOptions::from_str(config.url.expose_secret())
        .map_err(|_| DbErr::Custom("the database address is no postgres:// URL".to_owned()))?
        .application_name(config.schema)
        .options(SESSION);
    if let Some(roots) = &config.root_certificates {
        options = options.ssl_root_cert(roots);
    }
    let bounded = tokio::time::timeout(2 * ACQUIRE_TIMEOUT, ensure_schema(&options, config.schema)).await;
    bounded.unwrap_or(Err(sqlx::Error::PoolTimedOut)).map_err(connection_error)?;

    let pool: PgPool = PgPoolOptions::new()
        .max_connections(config.pool_size.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(IDLE_TIMEOUT)
        .max_lifetime(LIFETIME_MAX)
        // A ping before every use would cost each query a second round trip.
        .test_before_acquire(false)
        .before_acquire(|connection, usage| {
            Box::pin(async move {
                if usage.idle_for > TRUSTED {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options.options([("search_path", config.schema)]))
        .await
        .map_err(connection_error)?;
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(pool))
}

/// Makes the schema where it is missing; a role that may not create one is fine where it is there.
async fn ensure_schema(options: &PgConnectOptions, schema: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    let mut transaction = connection.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(SCHEMA_LOCK).execute(&mut *transaction).await?;
    let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)")
        .bind(schema)
        .fetch_one(&mut *transaction)
        .await?;
    if !there {
        let create = format!("CREATE SCHEMA \"{}\"", schema.replace('"', "\"\""));
        transaction.execute(sqlx::AssertSqlSafe(create)).await?;
    }
    transaction.commit().await?;
    connection.close().await
}

pub(super) fn connection_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(error.into()))
}
