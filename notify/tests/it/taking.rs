//! Events come in: once in effect, however often told.

use std::time::Duration;

use chassis::Lifecycle;
use mesh::{Channel, Upstream};
use proto::notify::PublishRequest;
use proto::notify::event_service_client::EventServiceClient;
use proto::{ErrorCode, ServiceError};
use testkit::mail::Folder;
use testkit::smtp::Sink;
use uuid::Uuid;

use crate::world::{ADDRESS, CODE, TOKEN, World, contact, event, publish, secret};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_event_told_twice_makes_one_mail() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let notify = world.notify(&sink.plain_url()).await;
        let told = event("user.verified");

        assert!(!publish(&notify, &told).await, "{name}");
        assert_eq!(notify.deliveries().run_once().await.unwrap(), 1);
        assert!(publish(&notify, &told).await, "{name}");
        assert_eq!(notify.deliveries().run_once().await.unwrap(), 0);

        assert_eq!(sink.messages().len(), 1, "{name}");
        assert_eq!(
            (world.status().await, world.outcomes().await),
            ("sent".into(), vec!["sent".into()]),
            "{name}"
        );
    }
}

#[tokio::test]
async fn of_publishers_that_race_one_is_first() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let (one, other) = (world.notify("file:").await, world.notify("file:").await);
        for _ in 0..5 {
            let told = event("user.verified");
            let (first, second) = tokio::join!(publish(&one, &told), publish(&other, &told));
            assert!(first != second, "{name}: one is new, the other a duplicate");
        }
        assert_eq!(world.select("SELECT status FROM delivery").await.len(), 5, "{name}");
    }
}

#[tokio::test]
async fn an_event_without_a_template_is_remembered_and_makes_no_delivery() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        assert!(!publish(&notify, &event("auth.token.issued")).await);
        assert_eq!(world.select("SELECT type FROM event").await, ["auth.token.issued"], "{name}");
        assert!(world.select("SELECT status FROM delivery").await.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn every_user_of_an_event_gets_a_mail_in_the_own_language() {
    for (name, database) in testkit::databases() {
        let (world, sink) = (World::new(&database).await, Sink::start().await);
        let other = Uuid::from_u128(77);
        let mut lan = contact();
        lan.user_id = other.to_string();
        lan.email = Some("lan@example.org".to_owned());
        lan.locale = "vi-VN".to_owned();
        world.directory.knows(lan);
        let notify = world.notify(&sink.plain_url()).await;

        let mut told = event("user.verified");
        told.user_ids.push(other.to_string());
        publish(&notify, &told).await;
        notify.deliveries().run_once().await.unwrap();

        let mails = sink.wait_for(2, SOON).await;
        let mut subjects: Vec<_> = mails.iter().map(|mail| (mail.mail().to, mail.mail().subject)).collect();
        subjects.sort();
        let welcome = [
            ("ana@example.org", "Welcome to Platform"),
            ("lan@example.org", "Chào mừng bạn đến với Platform"),
        ];
        assert_eq!(subjects, welcome.map(|(to, subject)| (to.to_owned(), subject.to_owned())), "{name}");
    }
}

/// All of it: the mesh, the policy, the workers, the folder of mails.
#[tokio::test]
async fn what_auth_tells_over_the_mesh_becomes_a_file_by_itself() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        world.directory.keeps_secret("link-1", secret());
        let notify = world.notify("file:").await;
        let addr = notify.addr().unwrap().to_string();
        let life = Lifecycle::new();
        life.spawn("notify", async move { notify.run().await.unwrap() });

        let mut told = event("user.registered");
        told.secret_reference = Some("link-1".to_owned());
        let upstream = |name: &str| {
            let identity = world.mesh.spiffe_id("notify");
            let upstream = Upstream { name: "notify".to_owned(), addresses: vec![addr.clone()], identity };
            EventServiceClient::new(Channel::new(world.mesh.identity(name), upstream))
        };
        let request = PublishRequest { event: Some(told.clone()) };
        assert!(!upstream("auth").publish(request.clone()).await.unwrap().into_inner().duplicate, "{name}");

        let mails = Folder::new(world.data.path().join("mail")).wait_for(ADDRESS, 1, SOON).await;
        assert_eq!(
            (mails[0].token("/auth/verify-email"), mails[0].code()),
            (Some(TOKEN), Some(CODE)),
            "{name}"
        );

        let refused = upstream("gateway").publish(request).await.unwrap_err();
        assert_eq!(ServiceError::from_status(&refused).code(), ErrorCode::PermissionDenied, "{name}");
        told.id = "no id".to_owned();
        let refused = upstream("auth").publish(PublishRequest { event: Some(told) }).await.unwrap_err();
        assert_eq!(ServiceError::from_status(&refused).violations()[0].field, "event.id", "{name}");
    }
}
