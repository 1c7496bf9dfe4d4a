//! What sockets ask notify. Every call has a deadline, and what catches up has room for so many at once.

use std::time::Duration;

use http::HeaderValue;
use mesh::Channel;
use proto::ServiceError;
use proto::notify::inbox_service_client::InboxServiceClient;
use proto::notify::{
    BatchGetRevisionsRequest, InboxRevision, MarkAllReadRequest, MarkReadRequest, SyncInboxRequest,
    SyncInboxResponse,
};
use tokio::sync::Semaphore;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::guard::facts::Facts;

const DEADLINE: Duration = Duration::from_secs(2);
/// How many inboxes are read at once: after a broker's loss all of them want to be.
const SYNCS_MAX: usize = 64;
/// The longest replay there is, generously.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// `InboxService`, through the mesh.
pub(super) struct Inbox {
    client: InboxServiceClient<Channel>,
    room: Semaphore,
}

impl Inbox {
    pub(super) fn new(channel: Channel) -> Self {
        let client = InboxServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        Self { client, room: Semaphore::new(SYNCS_MAX) }
    }

    /// Where a user's inbox stands, and what came after `since`.
    pub(super) async fn sync(
        &self,
        user_id: Uuid,
        since: Option<u32>,
    ) -> Result<SyncInboxResponse, ServiceError> {
        let _room = self.room.acquire().await.map_err(ServiceError::internal)?;
        let request = SyncInboxRequest { user_id: user_id.to_string(), since };
        answer(self.client.clone().sync_inbox(bounded(request)).await)
    }

    /// Where the inboxes of at most 1 000 users stand.
    pub(super) async fn revisions(&self, user_ids: &[Uuid]) -> Result<Vec<InboxRevision>, ServiceError> {
        let user_ids = user_ids.iter().map(Uuid::to_string).collect();
        let request = bounded(BatchGetRevisionsRequest { user_ids });
        Ok(answer(self.client.clone().batch_get_revisions(request).await)?.revisions)
    }

    /// Marks one notification of the passport's bearer as read.
    pub(super) async fn mark_read(
        &self,
        facts: &Facts,
        passport: &HeaderValue,
        notification_id: String,
    ) -> Result<(), ServiceError> {
        let mut request = bounded(MarkReadRequest { notification_id });
        *request.metadata_mut() = with_facts(request.metadata_mut(), facts, passport);
        answer(self.client.clone().mark_read(request).await).map(drop)
    }

    /// Marks all notifications of the passport's bearer as read.
    pub(super) async fn mark_all_read(
        &self,
        facts: &Facts,
        passport: &HeaderValue,
    ) -> Result<(), ServiceError> {
        let mut request = bounded(MarkAllReadRequest {});
        *request.metadata_mut() = with_facts(request.metadata_mut(), facts, passport);
        answer(self.client.clone().mark_all_read(request).await).map(drop)
    }
}

fn bounded<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}

/// The deadline's metadata and what is known of the caller.
fn with_facts(metadata: &mut MetadataMap, facts: &Facts, passport: &HeaderValue) -> MetadataMap {
    let mut head = std::mem::take(metadata).into_headers();
    head.extend(facts.metadata(Some(passport)));
    MetadataMap::from_headers(head)
}

fn answer<T>(answer: Result<Response<T>, Status>) -> Result<T, ServiceError> {
    answer.map(Response::into_inner).map_err(|status| ServiceError::from_status(&status))
}
