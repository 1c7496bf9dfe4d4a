//! The ports of the mesh: who gets in, and what who is in may call.

use std::time::SystemTime;

use mesh::Channel;
use proto::auth::access_service_client::AccessServiceClient;
use proto::auth::account_service_client::AccountServiceClient;
use proto::auth::directory_service_client::DirectoryServiceClient;
use proto::auth::session_service_client::SessionServiceClient;
use proto::auth::{
    AuthenticateRequest, BatchGetContactsRequest, LoginRequest, RegisterRequest, RevealSecretRequest,
};
use proto::notify::event_service_client::EventServiceClient;
use proto::notify::{Event, PublishRequest};
use proto::{ErrorCode, ServiceError};
use serde_json::Value;
use testkit::identities::Mesh;
use tonic::Status;
use uuid::Uuid;

use crate::judge::refused;
use crate::probe::{greets_as, greets_plainly};
use crate::world::{Person, World};

const CHANGED: &str = "auth.password-changed";
const REUSED: &str = "security.token-reused";

everywhere!(
    nobody_enters_without_a_certificate_of_this_mesh,
    a_member_calls_only_what_the_policy_names,
    an_event_that_is_told_twice_is_taken_once,
);

async fn nobody_enters_without_a_certificate_of_this_mesh(world: &World) {
    let foreign = Mesh::new(&["gateway", "auth"]);
    for service in ["auth", "notify"] {
        let address = world.mesh_address(service);
        assert!(!greets_plainly(&address).await, "{service} speaks without TLS");
        assert!(!greets_as(&address, None).await, "{service} lets in who shows nothing");
        for name in ["gateway", "auth"] {
            let dir = foreign.service_dir(name);
            assert!(!greets_as(&address, Some(&dir)).await, "{service} lets in a stranger called {name}");
        }
        assert!(greets_as(&address, Some(&world.identity_dir("gateway"))).await, "{service} lets nobody in");
    }
}

async fn a_member_calls_only_what_the_policy_names(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let tokens = ana.login().await;
    let user = ana.me(&tokens.access).await.expect(200).body;
    let user_id = user["id"].as_str().unwrap();
    let eve = Person::named(world, "eve");

    for member in ["intruder", "notify"] {
        let auth = world.channel(member, "auth");
        denied(register(auth.clone(), &eve).await);
        denied(login(auth.clone(), &ana).await);
        denied(authenticate(auth.clone(), &tokens.access).await);
    }
    for member in ["intruder", "gateway"] {
        denied(reveal(world.channel(member, "auth")).await);
        denied(publish(world.channel(member, "notify"), &event(Uuid::max(), CHANGED, &user)).await);
    }
    // The policy is no wall: what it names is answered.
    let notify = world.channel("notify", "auth");
    let contacts = contacts(notify, user_id).await.unwrap();
    assert_eq!(contacts, 1);

    // Nothing ran: there is no such account, no such mail, and what comes later does come.
    refused(&eve.try_login(&eve.password).await, ErrorCode::AuthInvalidCredentials);
    let binh = Person::signed_up(world, "binh").await;
    world.mails.arrives(&binh.email, "Welcome to Platform").await;
    assert_eq!(world.mails.to(&eve.email).len(), 0);
    assert_eq!(world.mails.to(&ana.email).len(), 2);
}

async fn an_event_that_is_told_twice_is_taken_once(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let user = ana.me(&ana.login().await.access).await.expect(200).body;
    let notify = world.channel("auth", "notify");
    let (changed, reused) = (event(Uuid::max(), CHANGED, &user), event(Uuid::from_u128(1), REUSED, &user));
    let (one, two) = tokio::join!(publish(notify.clone(), &changed), publish(notify.clone(), &changed));
    assert_ne!(one.unwrap(), two.unwrap(), "one of them is the first");
    assert!(publish(notify.clone(), &changed).await.unwrap(), "it was taken before");
    assert!(!publish(notify, &reused).await.unwrap());

    world.mails.arrives(&ana.email, "Security alert: we signed you out everywhere").await;
    let told = "Your password was changed";
    world.mails.arrives(&ana.email, told).await;
    assert_eq!(world.mails.subjects(&ana.email).iter().filter(|subject| *subject == told).count(), 1);
}

#[track_caller]
fn denied<T: std::fmt::Debug>(answer: Result<T, Status>) {
    let code = ServiceError::from_status(&answer.unwrap_err()).code();
    assert_eq!(code, ErrorCode::PermissionDenied);
}

async fn register(auth: Channel, person: &Person) -> Result<(), Status> {
    let request = RegisterRequest {
        email: person.email.clone(),
        password: person.password.clone(),
        ..Default::default()
    };
    AccountServiceClient::new(auth).register(request).await.map(drop)
}

async fn login(auth: Channel, person: &Person) -> Result<(), Status> {
    let request = LoginRequest {
        email: Some(person.email.clone()),
        password: person.password.clone(),
        ..Default::default()
    };
    SessionServiceClient::new(auth).login(request).await.map(drop)
}

async fn authenticate(auth: Channel, token: &str) -> Result<(), Status> {
    let request = AuthenticateRequest { access_token: token.to_owned() };
    AccessServiceClient::new(auth).authenticate(request).await.map(drop)
}

async fn reveal(auth: Channel) -> Result<(), Status> {
    let request = RevealSecretRequest { reference: Uuid::nil().to_string() };
    DirectoryServiceClient::new(auth).reveal_secret(request).await.map(drop)
}

async fn contacts(auth: Channel, user_id: &str) -> Result<usize, Status> {
    let request = BatchGetContactsRequest { user_ids: vec![user_id.to_owned()] };
    let answer = DirectoryServiceClient::new(auth).batch_get_contacts(request).await?;
    Ok(answer.into_inner().contacts.len())
}

/// Whether the event was taken before.
async fn publish(notify: Channel, event: &Event) -> Result<bool, Status> {
    let request = PublishRequest { event: Some(event.clone()) };
    Ok(EventServiceClient::new(notify).publish(request).await?.into_inner().duplicate)
}

/// An event of this kind that concerns this user.
fn event(id: Uuid, kind: &str, user: &Value) -> Event {
    Event {
        id: id.to_string(),
        tenant_id: user["tenantId"].as_str().unwrap().to_owned(),
        r#type: kind.to_owned(),
        user_ids: vec![user["id"].as_str().unwrap().to_owned()],
        occurred_at: Some(SystemTime::UNIX_EPOCH.into()),
        ..Default::default()
    }
}
