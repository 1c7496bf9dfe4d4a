//! `platform.notify.v1.InboxService`. The person is the passport's, or the one the edge names.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use mesh::RequestContext;
use proto::notify::inbox_service_server::InboxService;
use proto::notify::{
    BatchGetRevisionsRequest, BatchGetRevisionsResponse, GetUnreadCountRequest, GetUnreadCountResponse,
    InboxRevision, ListNotificationsRequest, ListNotificationsResponse, MarkAllReadRequest,
    MarkAllReadResponse, MarkReadRequest, MarkReadResponse, NotificationStatus, SyncInboxRequest,
    SyncInboxResponse,
};
use proto::{ErrorCode, ServiceError};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::app::App;
use crate::domain::notification::{Filter, Standing};
use crate::flows::{self, Missed, Wish};
use crate::grpc::convert;
use crate::wire;

const LIMIT: u32 = 20;

/// The service's end of the contract.
pub(crate) struct Inboxes(pub(crate) App);

#[tonic::async_trait]
impl InboxService for Inboxes {
    async fn list_notifications(
        &self,
        request: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        let user_id = reader(&request)?;
        let wish = wish(request.get_ref())?;
        let listed = flows::list_notifications(&self.0, user_id, &wish).await?;
        Ok(Response::new(ListNotificationsResponse {
            items: listed.notifications.into_iter().map(wire::notification).collect(),
            page: i32::try_from(wish.page).unwrap_or(i32::MAX),
            limit: i32::try_from(wish.limit).unwrap_or(i32::MAX),
            next_cursor: listed.next.map(cursor),
            unread_count: listed.standing.unread_count,
            revision: listed.standing.revision,
        }))
    }

    async fn get_unread_count(
        &self,
        request: Request<GetUnreadCountRequest>,
    ) -> Result<Response<GetUnreadCountResponse>, Status> {
        let standing = flows::get_unread_count(&self.0, reader(&request)?).await?;
        let Standing { unread_count, revision, .. } = standing;
        Ok(Response::new(GetUnreadCountResponse { count: unread_count, revision }))
    }

    async fn mark_read(
        &self,
        request: Request<MarkReadRequest>,
    ) -> Result<Response<MarkReadResponse>, Status> {
        let user_id = reader(&request)?;
        // What is no id is the id of nothing.
        let id = request.get_ref().notification_id.parse();
        let id = id.map_err(|_| ServiceError::new(ErrorCode::NotFound))?;
        let Standing { unread_count, revision, .. } = flows::mark_read(&self.0, user_id, id).await?;
        Ok(Response::new(MarkReadResponse { unread_count, revision }))
    }

    async fn mark_all_read(
        &self,
        request: Request<MarkAllReadRequest>,
    ) -> Result<Response<MarkAllReadResponse>, Status> {
        let standing = flows::mark_all_read(&self.0, reader(&request)?).await?;
        let Standing { unread_count, revision, .. } = standing;
        Ok(Response::new(MarkAllReadResponse { unread_count, revision }))
    }

    async fn sync_inbox(
        &self,
        request: Request<SyncInboxRequest>,
    ) -> Result<Response<SyncInboxResponse>, Status> {
        let SyncInboxRequest { user_id, since } = request.into_inner();
        let user_id = convert::id("userId", &user_id)?;
        let (missed, standing) = flows::sync_inbox(&self.0, user_id, since).await?;
        let (missed, reset) = match missed {
            Missed::These(missed) => (missed, false),
            Missed::TooMany => (Vec::new(), true),
        };
        let missed = missed.into_iter().map(wire::notification).collect();
        let Standing { seq, unread_count, revision } = standing;
        Ok(Response::new(SyncInboxResponse { missed, reset, seq, unread_count, revision }))
    }

    async fn batch_get_revisions(
        &self,
        request: Request<BatchGetRevisionsRequest>,
    ) -> Result<Response<BatchGetRevisionsResponse>, Status> {
        let user_ids = request.get_ref().user_ids.iter().map(|user_id| convert::id("userIds", user_id));
        let user_ids = user_ids.collect::<Result<_, ServiceError>>()?;
        let standings = flows::list_revisions(&self.0, &user_ids).await?;
        let revision = |(user_id, standing): (Uuid, Standing)| {
            let Standing { seq, unread_count, revision } = standing;
            InboxRevision { user_id: user_id.to_string(), seq, unread_count, revision }
        };
        Ok(Response::new(BatchGetRevisionsResponse {
            revisions: standings.into_iter().map(revision).collect(),
        }))
    }
}

/// The person whose inbox it is.
fn reader<T>(request: &Request<T>) -> Result<Uuid, ServiceError> {
    Ok(RequestContext::of(request).caller()?.user_id)
}

fn wish(request: &ListNotificationsRequest) -> Result<Wish, ServiceError> {
    let positive = |field, given: Option<i32>, default| match given.map(u32::try_from) {
        None => Ok(default),
        Some(Ok(number)) if number > 0 => Ok(number),
        Some(_) => Err(ServiceError::invalid(field, "is below 1")),
    };
    Ok(Wish {
        filter: match request.status() {
            NotificationStatus::Unspecified => Filter::Kept,
            NotificationStatus::Unread => Filter::Unread,
            NotificationStatus::Archived => Filter::Archived,
        },
        page: positive("page", request.page, 1)?,
        limit: positive("limit", request.limit, LIMIT)?,
        after: request.cursor.as_deref().map(after).transpose()?,
    })
}

fn cursor(id: Uuid) -> String {
    BASE64.encode(id)
}

fn after(cursor: &str) -> Result<Uuid, ServiceError> {
    let id = BASE64.decode(cursor).ok().and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.ok_or_else(|| ErrorCode::InvalidCursor.into())
}
