//! The table `job`.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub struct Model {
    /// Primary key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The queue's name.
    pub queue: String,
    /// Unique in the queue, where present.
    pub key: Option<String>,
    /// Null once the job has ended.
    pub payload: Option<Json>,
    /// Where it stands.
    pub state: State,
    /// Claims so far.
    pub attempt: i32,
    /// When it may be claimed: for a ready job when it may run, for a running one when its lease ends,
    /// null for one that has ended.
    pub due_at: Option<ChronoDateTimeUtc>,
    /// Raised by every claim; a verdict is written only under the fence of its claim.
    pub fence: i64,
    /// What failed last, at most 500 characters.
    pub last_error: Option<String>,
    /// When it ended.
    pub finished_at: Option<ChronoDateTimeUtc>,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum State {
    /// Waits for its time or a worker.
    Ready,
    /// Claimed; its worker lives, or the lease runs out.
    Running,
    /// Ended well.
    Done,
    /// Ended badly: the dead letter.
    Dead,
}

/// It stands alone.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
