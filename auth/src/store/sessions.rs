//! Sessions.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::entity::session::{ActiveModel, Column, Entity, Model};
use super::{Queries, Result, from_column, to_column};
use crate::domain::session::{AuthMethod, EndReason, Session, Status};

/// How many sessions of one user are looked at when all of them are meant.
const ALL_MAX: u64 = 1_000;

/// A session that was just ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The session.
    pub id: Uuid,
    /// Its revision from now on.
    pub revision: u64,
}

impl<C: ConnectionTrait> Queries<C> {
    /// The session with this id.
    pub async fn session_by_id(&self, id: Uuid) -> Result<Option<Session>> {
        Ok(Entity::find_by_id(id).one(self.conn()).await?.map(Session::from))
    }

    /// The sessions with these ids, those that exist.
    pub async fn list_sessions_by_ids(&self, ids: &[Uuid]) -> Result<Vec<Session>> {
        let rows = Entity::find().filter(Column::Id.is_in(ids.iter().copied())).all(self.conn()).await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// A user's live sessions, the one used longest ago first.
    pub async fn list_live_sessions(&self, user_id: Uuid, now: DateTime<Utc>) -> Result<Vec<Session>> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Status.eq(Status::Active.as_str()))
            .filter(Column::ExpiresAt.gt(now))
            .order_by_asc(Column::LastUsedAt)
            .order_by_asc(Column::Id)
            .limit(ALL_MAX)
            .all(self.conn())
            .await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// A page of a user's sessions, the newest first: those before `before`, after skipping `skip`.
    pub async fn list_sessions(
        &self,
        user_id: Uuid,
        before: Option<Uuid>,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<Session>> {
        let mut query = Entity::find().filter(Column::UserId.eq(user_id));
        if let Some(before) = before {
            query = query.filter(Column::Id.lt(before));
        }
        let rows = query.order_by_desc(Column::Id).offset(skip).limit(limit).all(self.conn()).await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }

    /// Adds a session.
    pub async fn insert_session(&self, session: &Session) -> Result<()> {
        let row = ActiveModel {
            id: Set(session.id),
            tenant_id: Set(session.tenant_id),
            user_id: Set(session.user_id),
            status: Set(session.status.as_str().to_owned()),
            end_reason: Set(None),
            auth_method: Set(session.auth_method.as_str().to_owned()),
            ip_address: Set(session.ip_address.clone()),
            user_agent: Set(session.user_agent.clone()),
            device_type: Set(session.device_type.clone()),
            location: Set(session.location.clone()),
            login_context: Set(session.login_context.clone()),
            revision: Set(to_column(session.revision)),
            created_at: Set(session.created_at),
            last_used_at: Set(session.last_used_at),
            expires_at: Set(session.expires_at),
            ended_at: Set(None),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }

    /// Remembers that a session was refreshed; `false` where it has ended meanwhile.
    pub async fn mark_session_used(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
        expires_at: DateTime<Utc>,
    ) -> Result<bool> {
        let done = Entity::update_many()
            .col_expr(Column::LastUsedAt, Expr::value(now))
            .col_expr(Column::ExpiresAt, Expr::value(expires_at))
            .filter(Column::Id.eq(id))
            .filter(Column::Status.eq(Status::Active.as_str()))
            .exec(self.conn())
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// Ends these sessions, those that go on, and says which they were.
    pub async fn mark_sessions_ended(
        &self,
        ids: &[Uuid],
        reason: EndReason,
        now: DateTime<Utc>,
    ) -> Result<Vec<Ended>> {
        let rows = Entity::update_many()
            .col_expr(Column::Status, Expr::value(Status::Revoked.as_str()))
            .col_expr(Column::EndReason, Expr::value(reason.as_str()))
            .col_expr(Column::EndedAt, Expr::value(now))
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .filter(Column::Id.is_in(ids.iter().copied()))
            .filter(Column::Status.eq(Status::Active.as_str()))
            .exec_with_returning(self.conn())
            .await?;
        Ok(rows.into_iter().map(|row| Ended { id: row.id, revision: from_column(row.revision) }).collect())
    }

    /// Raises the revision of a user's live sessions: what is published of them has changed.
    pub async fn mark_sessions_changed(&self, user_id: Uuid) -> Result<Vec<Session>> {
        let rows = Entity::update_many()
            .col_expr(Column::Revision, Expr::col(Column::Revision).add(1))
            .filter(Column::UserId.eq(user_id))
            .filter(Column::Status.eq(Status::Active.as_str()))
            .exec_with_returning(self.conn())
            .await?;
        Ok(rows.into_iter().map(Session::from).collect())
    }
}

impl From<Model> for Session {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            user_id: row.user_id,
            status: Status::parse(&row.status),
            auth_method: AuthMethod::parse(&row.auth_method),
            ip_address: row.ip_address,
            user_agent: row.user_agent,
            device_type: row.device_type,
            location: row.location,
            login_context: row.login_context,
            revision: from_column(row.revision),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}
