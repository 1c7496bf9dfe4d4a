//! The audit trail: append-only, in the transaction of what it records.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::Value;
use uuid::Uuid;

use super::entity::audit_record::{ActiveModel, Entity};
use super::{Queries, Result};
use crate::domain::audit::Record;

impl<C: ConnectionTrait> Queries<C> {
    /// Adds a record.
    pub async fn insert_audit_record(&self, id: Uuid, record: Record, now: DateTime<Utc>) -> Result<()> {
        let row = ActiveModel {
            id: Set(id),
            tenant_id: Set(record.tenant_id),
            actor_id: Set(record.actor_id),
            action: Set(record.action.as_str().to_owned()),
            target_type: Set(record.user_id.map(|_| "user".to_owned())),
            target_id: Set(record.user_id),
            severity: Set(record.action.severity().to_owned()),
            ip_address: Set(record.origin.ip_address),
            user_agent: Set(record.origin.user_agent),
            trace_id: Set(record.origin.trace_id),
            metadata: Set(Value::Object(record.metadata)),
            created_at: Set(now),
        };
        Entity::insert(row).exec_without_returning(self.conn()).await?;
        Ok(())
    }
}
