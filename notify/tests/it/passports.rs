//! Over the mesh: whose inbox it is says the passport, and who may call what the policy.

use chassis::Lifecycle;
use mesh::passport::{AUDIENCE, Claims};
use mesh::{Channel, Upstream};
use proto::notify::broadcast_service_client::BroadcastServiceClient;
use proto::notify::inbox_service_client::InboxServiceClient;
use proto::notify::{GetUnreadCountRequest, ListNotificationsRequest, SyncInboxRequest};
use proto::{ErrorCode, metadata};
use tonic::Request;
use uuid::Uuid;

use crate::people::{ADMIN, code, news};
use crate::world::{TENANT, USER, World};

fn carrying<T>(world: &World, (user, permission): (Uuid, &str), message: T) -> Request<T> {
    let now = world.clock.now().timestamp();
    let claims = Claims {
        iss: "https://example.org".to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: user,
        tid: TENANT,
        sid: Uuid::nil(),
        jti: Uuid::nil(),
        permissions: vec![permission.to_owned()],
        iat: now,
        exp: now + 60,
    };
    let mut request = Request::new(message);
    let passport = world.directory.signer.sign(&claims).unwrap();
    request.metadata_mut().insert(metadata::PASSPORT, passport.parse().unwrap());
    request
}

#[tokio::test]
async fn a_passport_opens_the_own_inbox_and_nothing_opens_without() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let addr = notify.addr().unwrap().to_string();
        let life = Lifecycle::new();
        life.spawn("notify", async move { notify.run().await.unwrap() });
        let channel = |name: &str| {
            let identity = world.mesh.spiffe_id("notify");
            let upstream = Upstream { name: "notify".to_owned(), addresses: vec![addr.clone()], identity };
            Channel::new(world.mesh.identity(name), upstream)
        };
        let mut inboxes = InboxServiceClient::new(channel("gateway"));
        let mut broadcasts = BroadcastServiceClient::new(channel("gateway"));

        let refused =
            broadcasts.send_notification(carrying(&world, (ADMIN, "a:b"), news())).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::PermissionDenied, "{name}");
        let sent = broadcasts.send_notification(carrying(&world, (ADMIN, "notification:send"), news())).await;
        assert_eq!(sent.unwrap().get_ref().accepted, 1, "{name}");

        let counted =
            inboxes.get_unread_count(carrying(&world, (USER, "a:b"), GetUnreadCountRequest {})).await;
        assert_eq!(counted.unwrap().get_ref().count, 1, "{name}");
        let counted =
            inboxes.get_unread_count(carrying(&world, (ADMIN, "a:b"), GetUnreadCountRequest {})).await;
        assert_eq!(counted.unwrap().get_ref().count, 0, "{name}");
        let refused = inboxes.get_unread_count(GetUnreadCountRequest {}).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::Unauthenticated, "{name}");
        let wrong = ListNotificationsRequest { limit: Some(101), ..Default::default() };
        let refused = inboxes.list_notifications(carrying(&world, (USER, "a:b"), wrong)).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::ValidationError, "{name}");

        let request = SyncInboxRequest { user_id: USER.to_string(), since: Some(0) };
        let synced = inboxes.sync_inbox(request.clone()).await.unwrap();
        assert_eq!(synced.get_ref().missed.len(), 1, "{name}: the edge asks for somebody");
        let refused = InboxServiceClient::new(channel("auth")).sync_inbox(request).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::PermissionDenied, "{name}");
        life.shutdown();
    }
}
