//! Deliveries, the jobs that make them, and what was tried.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jobs::{Counts, Exhausted, NewJob, Queue};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait as _, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use super::entity::{attempt, delivery};
use super::{Queries, Result, Within, corrupt};
use crate::domain::attempt::Attempt;
use crate::domain::delivery::{ATTEMPT_TIMEOUT, Channel, Delivery, LEASE, RETRY_SCHEDULE, Status};

/// The jobs that make deliveries.
pub(crate) const DELIVERY_QUEUE: Queue =
    Queue::new("delivery", RUN_TIMEOUT).lease(LEASE).schedule(RETRY_SCHEDULE, Exhausted::Dead).batch(BATCH);

/// An attempt ends by itself before this.
const RUN_TIMEOUT: Duration = ATTEMPT_TIMEOUT.saturating_add(Duration::from_secs(5));

/// How many deliveries a worker makes at once.
const BATCH: u64 = 8;

/// How long jobs that ended are kept, and how many are forgotten at a time.
const ENDED_JOBS_KEPT: TimeDelta = TimeDelta::days(1);
const PURGE_BATCH: u64 = 1000;

/// What an attempt found and where that leaves its delivery.
pub(crate) struct Finding<'a> {
    /// The attempt.
    pub(crate) attempt: &'a Attempt,
    /// The delivery's status from now on.
    pub(crate) status: Status,
    /// When it was found.
    pub(crate) at: DateTime<Utc>,
    /// When the next attempt is due, where there is one.
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
}

impl<C: ConnectionTrait> Queries<C> {
    /// Remembers deliveries that are owed from `now` on, each with the job that makes it.
    pub(crate) async fn insert_deliveries(&self, deliveries: &[Delivery], now: DateTime<Utc>) -> Result<()> {
        if deliveries.is_empty() {
            return Ok(());
        }
        let rows = deliveries.iter().map(|delivery| delivery::ActiveModel {
            id: Set(delivery.id),
            event_id: Set(delivery.event_id),
            user_id: Set(delivery.user_id),
            channel: Set(delivery.channel.as_str().to_owned()),
            status: Set(delivery.status.as_str().to_owned()),
            attempts: Set(0),
            next_attempt_at: Set(Some(now)),
            created_at: Set(now),
            ended_at: Set(None),
        });
        delivery::Entity::insert_many(rows).exec_without_returning(&self.0).await?;
        for delivery in deliveries {
            // The job's id says all there is to say.
            let job = NewJob { id: delivery.id, key: None, payload: serde_json::Value::Null, run_at: now };
            jobs::enqueue(&self.0, &DELIVERY_QUEUE, job).await?;
        }
        Ok(())
    }

    /// How the queue stands.
    pub(crate) async fn delivery_counts(&self, now: DateTime<Utc>) -> Result<Counts> {
        Ok(jobs::counts(&self.0, &DELIVERY_QUEUE, now).await?)
    }

    /// Forgets some of the jobs that ended a while ago; how many. The deliveries stay.
    pub(crate) async fn purge_ended_jobs(&self, now: DateTime<Utc>) -> Result<u64> {
        Ok(jobs::purge_finished(&self.0, now - ENDED_JOBS_KEPT, PURGE_BATCH).await?)
    }

    /// The delivery with this id.
    pub(crate) async fn delivery_by_id(&self, id: Uuid) -> Result<Option<Delivery>> {
        let row = delivery::Entity::find_by_id(id).one(&self.0).await?;
        row.map(|row| read(&row)).transpose()
    }
}

impl Within<'_> {
    /// Writes down an attempt and where it leaves its delivery. What has ended stays as it ended.
    pub(crate) async fn record_attempt(&self, delivery_id: Uuid, finding: &Finding<'_>) -> Result<()> {
        let ended_at = (finding.status != Status::Pending).then_some(finding.at);
        let updated = delivery::Entity::update_many()
            .col_expr(delivery::Column::Status, Expr::value(finding.status.as_str()))
            .col_expr(delivery::Column::Attempts, Expr::col(delivery::Column::Attempts).add(1))
            .col_expr(delivery::Column::NextAttemptAt, Expr::value(finding.next_attempt_at))
            .col_expr(delivery::Column::EndedAt, Expr::value(ended_at))
            .filter(delivery::Column::Id.eq(delivery_id))
            .filter(delivery::Column::Status.eq(Status::Pending.as_str()))
            .exec_with_returning(&self.0)
            .await?;
        let Some(delivery) = updated.first() else { return Ok(()) };
        let row = attempt::ActiveModel {
            delivery_id: Set(delivery_id),
            number: Set(delivery.attempts),
            at: Set(finding.at),
            outcome: Set(finding.attempt.outcome.as_str().to_owned()),
            detail: Set(finding.attempt.detail.clone()),
        };
        attempt::Entity::insert(row).exec_without_returning(&self.0).await?;
        Ok(())
    }
}

fn read(row: &delivery::Model) -> Result<Delivery> {
    Ok(Delivery {
        id: row.id,
        event_id: row.event_id,
        user_id: row.user_id,
        channel: Channel::parse(&row.channel).ok_or_else(|| corrupt("channel"))?,
        status: Status::parse(&row.status).ok_or_else(|| corrupt("status"))?,
    })
}
