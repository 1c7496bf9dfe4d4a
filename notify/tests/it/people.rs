//! What people do with their inboxes, and administrators with everybody's, as calls of the services.

use mesh::{Caller, RequestContext};
use notify::Notify;
use proto::notify::broadcast_service_server::BroadcastService;
use proto::notify::inbox_service_server::InboxService;
use proto::notify::{
    BatchGetRevisionsRequest, GetUnreadCountRequest, InboxRevision, ListNotificationsRequest,
    ListNotificationsResponse, MarkAllReadRequest, MarkReadRequest, SendNotificationRequest,
    SendNotificationResponse, SyncInboxRequest, SyncInboxResponse,
};
use proto::{ErrorCode, ServiceError};
use tonic::{Request, Status};
use uuid::Uuid;

use crate::world::{TENANT, USER};

pub(crate) const ADMIN: Uuid = Uuid::from_u128(0xad);

/// How many are unread, and the revision.
pub(crate) type Counts = (u32, u32);

pub(crate) fn code(status: &Status) -> ErrorCode {
    ServiceError::from_status(status).code()
}

/// A call of somebody in the story's tenant.
pub(crate) fn by<T>(user_id: Uuid, message: T) -> Request<T> {
    by_caller(user_id, TENANT, message)
}

pub(crate) fn by_caller<T>(user_id: Uuid, tenant_id: Uuid, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let caller = Caller {
        user_id,
        tenant_id,
        session_id: Uuid::nil(),
        token_jti: Uuid::nil(),
        permissions: Vec::new().into(),
    };
    let context = RequestContext { caller: Some(caller), ..RequestContext::of(&request) };
    request.extensions_mut().insert(context);
    request
}

/// Something to tell the story's user.
pub(crate) fn news() -> SendNotificationRequest {
    SendNotificationRequest {
        user_ids: vec![USER.to_string()],
        r#type: "order.shipped".to_owned(),
        title: Some("It is on its way".to_owned()),
        body: Some("Expect it tomorrow.".to_owned()),
        ..Default::default()
    }
}

pub(crate) async fn send(
    notify: &Notify,
    request: SendNotificationRequest,
) -> Result<SendNotificationResponse, Status> {
    Ok(notify.broadcasts().send_notification(by(ADMIN, request)).await?.into_inner())
}

pub(crate) async fn list(
    notify: &Notify,
    request: ListNotificationsRequest,
) -> Result<ListNotificationsResponse, Status> {
    Ok(notify.inboxes().list_notifications(by(USER, request)).await?.into_inner())
}

/// The whole inbox, as far as one page shows it.
pub(crate) async fn inbox(notify: &Notify) -> ListNotificationsResponse {
    list(notify, ListNotificationsRequest { limit: Some(100), ..Default::default() }).await.unwrap()
}

pub(crate) async fn count(notify: &Notify) -> Counts {
    let counted = notify.inboxes().get_unread_count(by(USER, GetUnreadCountRequest {})).await.unwrap();
    (counted.get_ref().count, counted.get_ref().revision)
}

pub(crate) async fn read(notify: &Notify, id: &str) -> Result<Counts, Status> {
    let request = MarkReadRequest { notification_id: id.to_owned() };
    let read = notify.inboxes().mark_read(by(USER, request)).await?.into_inner();
    Ok((read.unread_count, read.revision))
}

pub(crate) async fn read_all(notify: &Notify) -> Counts {
    let read = notify.inboxes().mark_all_read(by(USER, MarkAllReadRequest {})).await.unwrap().into_inner();
    (read.unread_count, read.revision)
}

pub(crate) async fn sync(notify: &Notify, since: Option<u32>) -> SyncInboxResponse {
    let request = Request::new(SyncInboxRequest { user_id: USER.to_string(), since });
    notify.inboxes().sync_inbox(request).await.unwrap().into_inner()
}

pub(crate) async fn revisions(notify: &Notify, users: &[Uuid]) -> Vec<InboxRevision> {
    let user_ids = users.iter().map(Uuid::to_string).collect();
    let request = Request::new(BatchGetRevisionsRequest { user_ids });
    notify.inboxes().batch_get_revisions(request).await.unwrap().into_inner().revisions
}
