//! Publishes access state again, from what the database says now, for the case that the flow which
//! changed it was cut off between commit and publishing.

use std::sync::Arc;

use jobs::{Handler, Job, Verdict};
use proto::ServiceError;

use crate::app::Auth;
use crate::domain::session::Status;
use crate::store::{AccessPublication, Ended};

pub(super) struct PublishAccess {
    pub(super) auth: Arc<Auth>,
}

impl Handler for PublishAccess {
    async fn run(&self, job: &Job) -> Verdict {
        let payload = match serde_json::from_value(job.payload.clone()) {
            Ok(payload) => payload,
            Err(error) => return Verdict::Dead { reason: format!("the payload cannot be read: {error}") },
        };
        match self.publish(payload).await {
            Ok(()) => Verdict::Done,
            Err(error) => Verdict::Retry { reason: error.to_string() },
        }
    }
}

impl PublishAccess {
    async fn publish(&self, publication: AccessPublication) -> Result<(), ServiceError> {
        let auth = &self.auth;
        let AccessPublication { user_id, session_ids, end_reason } = publication;
        for session in auth.store.list_sessions_by_ids(&session_ids).await? {
            match session.status {
                Status::Active => auth.access.fence_sessions(&[session]).await,
                _ => auth.access.publish_ended(&[Ended { id: session.id, revision: session.revision }]).await,
            }
        }
        if let Some(reason) = end_reason {
            let now = auth.clock.now();
            let tokens = auth.store.list_live_access_tokens(&session_ids, now).await?;
            auth.access.announce_revoked(&tokens, user_id, reason, now).await;
        } else if let Some(user) = auth.store.user_by_id(user_id).await? {
            auth.access.fence_user_version(user_id, user.permission_version).await;
        }
        // A store that is away swallows what is published; a moment after a failure it still says so.
        Ok(auth.kv.ping().await?)
    }
}
