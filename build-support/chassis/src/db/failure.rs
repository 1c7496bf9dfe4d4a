//! What a failure of the database means: away for now, or a defect of ours.

use proto::ServiceError;
use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr, SqlErr};

/// SQLSTATE classes that pass by themselves: connection, transaction rollback (deadlock, serialization),
/// resources (disk full), operator intervention (shutdown, statement timeout).
const PASSING_CLASSES: [&str; 4] = ["08", "40", "53", "57"];

/// Single ones: a lock not given in time, an idle transaction ended, a server that became read-only.
const PASSING_STATES: [&str; 3] = ["55P03", "25P03", "25006"];

/// SQLite's primary codes BUSY, LOCKED.
const BUSY: [u32; 2] = [5, 6];

/// SQLite's primary codes IOERR, FULL, CANTOPEN, PROTOCOL.
const PASSING_CODES: [u32; 4] = [10, 13, 14, 15];

/// The answer to a caller whose database failed: `SERVICE_UNAVAILABLE` with `Retry-After` where it is away,
/// busy or full, else `INTERNAL`. The database's own words stay inside.
pub fn service_error(error: DbErr) -> ServiceError {
    if is_passing(&error) { ServiceError::unavailable(error) } else { ServiceError::internal(error) }
}

/// Whether a write failed because what must be unique is there already.
pub fn is_unique_violation(error: &DbErr) -> bool {
    matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)))
}

/// Whether SQLite's write lock was not to be had in time.
pub(super) fn is_busy(error: &DbErr) -> bool {
    sqlite_code(error).is_some_and(|code| BUSY.contains(&code))
}

fn is_passing(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => return true,
        _ => {}
    }
    if let Some(state) = database_code(error).filter(|code| code.len() == 5) {
        return PASSING_STATES.contains(&state.as_str())
            || PASSING_CLASSES.iter().any(|class| state.starts_with(class));
    }
    if let Some(code) = sqlite_code(error) {
        return BUSY.contains(&code) || PASSING_CODES.contains(&code);
    }
    matches!(
        sqlx_error(error),
        Some(
            sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
        )
    )
}

/// SQLite's primary code: the low byte of the extended one, which is no SQLSTATE of five characters.
fn sqlite_code(error: &DbErr) -> Option<u32> {
    let code = database_code(error).filter(|code| code.len() < 5)?;
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

fn database_code(error: &DbErr) -> Option<String> {
    let code = sqlx_error(error)?.as_database_error()?.code()?;
    Some(code.into_owned())
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proto::ErrorCode;

    use super::*;

    #[test]
    fn what_passes_by_itself_is_unavailable_and_the_rest_is_ours() {
        let away = DbErr::Query(RuntimeErr::SqlxError(sqlx::Error::PoolTimedOut.into()));
        let answer = service_error(away);
        assert_eq!(answer.code(), ErrorCode::ServiceUnavailable);
        assert!(answer.retry_after_hint().is_some());

        let defect = service_error(DbErr::Custom("column \"secret\" is missing".to_owned()));
        assert_eq!(defect.code(), ErrorCode::Internal);
        assert!(!defect.text().contains("secret"));
    }
}
