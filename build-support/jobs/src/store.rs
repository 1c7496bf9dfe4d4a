//! The queries: storing, claiming, settling, counting and forgetting jobs.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait as _, LockBehavior, LockType, OnConflict, Query, SelectStatement};
use sea_orm::{
    ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, Order, QueryFilter as _, Set,
};

use crate::entity::{ActiveModel, Column, Entity, Model, State};
use crate::job::{Job, NewJob, Settled};
use crate::queue::Queue;

/// Longer reasons are cut.
const ERROR_CHARS_MAX: usize = 500;

/// Stores a job, in the caller's transaction where there is one. `false`: its id, or its key in this
/// queue, is there already, and nothing was changed.
pub async fn enqueue<C: ConnectionTrait>(connection: &C, queue: &Queue, job: NewJob) -> Result<bool, DbErr> {
    let row = ActiveModel {
        id: Set(job.id),
        queue: Set(queue.name.to_owned()),
        key: Set(job.key),
        payload: Set(Some(job.payload)),
        state: Set(State::Ready),
        attempt: Set(0),
        due_at: Set(Some(job.run_at)),
        fence: Set(0),
        last_error: Set(None),
        finished_at: Set(None),
    };
    let inserted = Entity::insert(row).on_conflict(OnConflict::new().do_nothing().to_owned());
    match inserted.exec_without_returning(connection).await {
        Ok(rows) => Ok(rows > 0),
        Err(DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Claims up to `limit` jobs that are due: ready ones, and running ones whose lease has run out. Each is
/// this caller's alone until the queue's lease ends.
pub(crate) async fn claim<C: ConnectionTrait>(
    connection: &C,
    queue: &Queue,
    now: DateTime<Utc>,
    limit: u64,
) -> Result<Vec<Job>, DbErr> {
    let mut due = Query::select();
    due.column(Column::Id)
        .from(Entity)
        .and_where(Column::Queue.eq(queue.name))
        .and_where(Column::DueAt.lte(now))
        .order_by(Column::DueAt, Order::Asc)
        .limit(limit);
    if connection.get_database_backend() == DbBackend::Postgres {
        // Two workers do not wait for each other; on SQLite the one writer needs no lock.
        due.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
    let claimed = Entity::update_many()
        .col_expr(Column::State, Expr::val(State::Running))
        .col_expr(Column::Attempt, Expr::col(Column::Attempt).add(1))
        .col_expr(Column::Fence, Expr::col(Column::Fence).add(1_i64))
        .col_expr(Column::DueAt, Expr::val(now + queue.lease))
        .filter(Column::Id.in_subquery(due))
        .exec_with_returning(connection)
        .await?;
    Ok(claimed.into_iter().map(Job::from).collect())
}

/// Writes what became of a claimed job; `false`: somebody claimed it since, and nothing was written.
pub(crate) async fn settle<C: ConnectionTrait>(
    connection: &C,
    job: &Job,
    settled: &Settled,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let (state, due_at, error) = match settled {
        Settled::Done => (State::Done, None, None),
        Settled::Retry { at, reason } => (State::Ready, Some(*at), Some(cut(reason))),
        Settled::Dead { reason } => (State::Dead, None, Some(cut(reason))),
    };
    let mut update = Entity::update_many()
        .col_expr(Column::State, Expr::val(state))
        .col_expr(Column::DueAt, Expr::val(due_at))
        .col_expr(Column::LastError, Expr::val(error));
    if due_at.is_none() {
        update = update
            .col_expr(Column::FinishedAt, Expr::val(Some(now)))
            .col_expr(Column::Payload, Expr::val(None::<serde_json::Value>));
    }
    let written = update
        .filter(Column::Id.eq(job.id))
        .filter(Column::Fence.eq(job.fence))
        .filter(Column::State.eq(State::Running))
        .exec(connection)
        .await?;
    Ok(written.rows_affected > 0)
}

/// How a queue stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Waiting for their time or a worker.
    pub ready: u64,
    /// Claimed.
    pub running: u64,
    /// Ended well and not purged yet.
    pub done: u64,
    /// Ended badly and not purged yet.
    pub dead: u64,
    /// How long the most overdue job has been due: the lag of the queue. A running job's lease counts.
    pub lag: Duration,
}

/// Counts a queue's jobs by state. Walks all its rows: for gauges, every few seconds at most.
pub async fn counts<C: ConnectionTrait>(
    connection: &C,
    queue: &Queue,
    now: DateTime<Utc>,
) -> Result<Counts, DbErr> {
    let mut by_state = Query::select();
    by_state
        .column(Column::State)
        .expr(Expr::col(Column::Id).count())
        .expr(Expr::col(Column::DueAt).min())
        .from(Entity)
        .and_where(Column::Queue.eq(queue.name))
        .group_by_col(Column::State);
    let mut counts = Counts::default();
    for row in connection.query_all(&by_state).await? {
        let count = u64::try_from(row.try_get_by_index::<i64>(1)?).unwrap_or(0);
        match row.try_get_by_index(0)? {
            State::Ready => counts.ready = count,
            State::Running => counts.running = count,
            State::Done => counts.done = count,
            State::Dead => counts.dead = count,
        }
        if let Some(due_at) = row.try_get_by_index::<Option<DateTime<Utc>>>(2)? {
            counts.lag = counts.lag.max((now - due_at).to_std().unwrap_or_default());
        }
    }
    Ok(counts)
}

/// Deletes up to `limit` jobs of all queues that ended before `before`; how many. Their keys are free again.
pub async fn purge_finished<C: ConnectionTrait>(
    connection: &C,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let old: SelectStatement = Query::select()
        .column(Column::Id)
        .from(Entity)
        .and_where(Column::FinishedAt.lt(before))
        .order_by(Column::FinishedAt, Order::Asc)
        .limit(limit)
        .to_owned();
    let deleted = Entity::delete_many().filter(Column::Id.in_subquery(old)).exec(connection).await?;
    Ok(deleted.rows_affected)
}

impl From<Model> for Job {
    fn from(row: Model) -> Job {
        Job {
            id: row.id,
            key: row.key,
            payload: row.payload.unwrap_or_default(),
            attempt: u32::try_from(row.attempt).unwrap_or(u32::MAX),
            fence: row.fence,
        }
    }
}

fn cut(reason: &str) -> String {
    reason.chars().take(ERROR_CHARS_MAX).collect()
}

#[cfg(test)]
mod lease;
