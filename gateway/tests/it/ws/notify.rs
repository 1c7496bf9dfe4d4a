//! A notify that keeps one person's inbox in memory and does as it is told.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use chassis::{Fanout, Lifecycle};
use mesh::passport::KeySource;
use mesh::{Policy, RequestContext};
use prost::Message;
use proto::notify::inbox_service_server::{InboxService, InboxServiceServer};
use proto::notify::push::Told;
use proto::notify::*;
use proto::{ErrorCode, ServiceError};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::auth::USER;
use crate::world::Mesh;

/// The longest replay.
const GAP_MAX: usize = 500;

/// The inbox, and what is to go wrong.
#[derive(Default)]
pub(crate) struct Notify {
    inbox: Mutex<Inbox>,
    /// What every call fails with.
    pub(crate) fails: Mutex<Option<ErrorCode>>,
    /// How often the inbox was read.
    pub(crate) synced: AtomicUsize,
    pushed: AtomicUsize,
}

#[derive(Default)]
struct Inbox {
    notifications: Vec<Notification>,
    unread: u32,
    revision: u32,
}

impl Notify {
    pub(crate) async fn serve(
        self: &Arc<Self>,
        mesh: &Mesh,
        keys: KeySource,
        life: &Lifecycle,
    ) -> SocketAddr {
        let routes = Routes::new(InboxServiceServer::new(Served(self.clone())));
        mesh.serve("notify", Policy::parse(certs::POLICY).unwrap(), routes, keys, life).await
    }

    /// Writes a notification down, and answers the push that tells of it.
    pub(crate) fn write(&self, title: &str) -> Push {
        let mut inbox = self.inbox();
        let seq = u32::try_from(inbox.notifications.len()).unwrap() + 1;
        let notification = Notification {
            id: Uuid::from_u128(u128::from(seq)).to_string(),
            seq,
            r#type: "test.said".into(),
            title: title.into(),
            created_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..Notification::default()
        };
        inbox.notifications.push(notification.clone());
        inbox.unread += 1;
        inbox.revision += 1;
        let (unread_count, revision) = (inbox.unread, inbox.revision);
        drop(inbox);
        let notification = Some(notification);
        self.push(Told::Came(NotificationCame { notification, unread_count, revision }))
    }

    /// Marks all as read, and answers the push that tells of it.
    pub(crate) fn read_all(&self) -> Push {
        let mut inbox = self.inbox();
        inbox.unread = 0;
        inbox.revision += 1;
        let up_to_seq = u32::try_from(inbox.notifications.len()).ok();
        let revision = inbox.revision;
        drop(inbox);
        self.push(Told::Read(NotificationsRead { ids: Vec::new(), up_to_seq, unread_count: 0, revision }))
    }

    pub(crate) fn push(&self, told: Told) -> Push {
        let number = self.pushed.fetch_add(1, Ordering::SeqCst);
        let id = format!("push-{number}");
        Push { id, user_id: USER.to_string(), told: Some(told), occurred_at: None }
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap()
    }

    fn check(&self) -> Result<(), Status> {
        self.fails.lock().unwrap().map_or(Ok(()), |code| Err(ServiceError::new(code).into()))
    }
}

/// Tells the gateways.
pub(crate) async fn publish(fanout: &Fanout, push: &Push) {
    let payload = Bytes::from(push.encode_to_vec());
    fanout.publish(&proto::fanout::user_subject(USER), &push.id, payload).await.unwrap();
}

#[derive(Clone)]
struct Served(Arc<Notify>);

#[tonic::async_trait]
impl InboxService for Served {
    async fn sync_inbox(
        &self,
        request: Request<SyncInboxRequest>,
    ) -> Result<Response<SyncInboxResponse>, Status> {
        self.0.synced.fetch_add(1, Ordering::SeqCst);
        self.0.check()?;
        let request = request.into_inner();
        let inbox = self.0.inbox();
        let since = request.since.map_or(usize::MAX, |since| since as usize);
        let missed: Vec<_> = inbox.notifications.iter().skip(since).cloned().collect();
        let reset = missed.len() > GAP_MAX;
        Ok(Response::new(SyncInboxResponse {
            missed: if reset { Vec::new() } else { missed },
            reset,
            seq: u32::try_from(inbox.notifications.len()).unwrap(),
            unread_count: inbox.unread,
            revision: inbox.revision,
        }))
    }

    async fn batch_get_revisions(
        &self,
        request: Request<BatchGetRevisionsRequest>,
    ) -> Result<Response<BatchGetRevisionsResponse>, Status> {
        self.0.check()?;
        let inbox = self.0.inbox();
        let stands = |user_id| InboxRevision {
            user_id,
            seq: u32::try_from(inbox.notifications.len()).unwrap(),
            unread_count: inbox.unread,
            revision: inbox.revision,
        };
        let revisions = request.into_inner().user_ids.into_iter().map(stands).collect();
        Ok(Response::new(BatchGetRevisionsResponse { revisions }))
    }

    async fn mark_read(
        &self,
        request: Request<MarkReadRequest>,
    ) -> Result<Response<MarkReadResponse>, Status> {
        self.0.check()?;
        let context = RequestContext::of(&request);
        assert_eq!(context.caller().map_err(Status::from)?.user_id, USER);
        let mut inbox = self.0.inbox();
        let id = request.into_inner().notification_id;
        if !inbox.notifications.iter().any(|notification| notification.id == id) {
            return Err(ServiceError::new(ErrorCode::NotFound).into());
        }
        inbox.unread -= 1;
        inbox.revision += 1;
        Ok(Response::new(MarkReadResponse { unread_count: inbox.unread, revision: inbox.revision }))
    }

    async fn mark_all_read(
        &self,
        request: Request<MarkAllReadRequest>,
    ) -> Result<Response<MarkAllReadResponse>, Status> {
        RequestContext::of(&request).caller().map_err(Status::from)?;
        self.0.read_all();
        Ok(Response::new(MarkAllReadResponse { unread_count: 0, revision: self.0.inbox().revision }))
    }

    async fn list_notifications(
        &self,
        _: Request<ListNotificationsRequest>,
    ) -> Result<Response<ListNotificationsResponse>, Status> {
        Ok(Response::new(ListNotificationsResponse::default()))
    }

    async fn get_unread_count(
        &self,
        _: Request<GetUnreadCountRequest>,
    ) -> Result<Response<GetUnreadCountResponse>, Status> {
        Ok(Response::new(GetUnreadCountResponse::default()))
    }
}
