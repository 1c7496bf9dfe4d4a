//! Passwords: changed by who knows them, reset by who forgot them.

use proto::ErrorCode;
use serde_json::json;
use testkit::http::Reply;
use testkit::mail::Mail;

use crate::judge::{Judge, refused, refused_field};
use crate::world::{PUBLIC_URL, Person, Tokens, World};

const RESET: &str = "Reset your password";
const CHANGED: &str = "Your password was changed";
const NEW: &str = "something else entirely";

everywhere!(
    changing_the_password_ends_every_earlier_session,
    a_forgotten_password_is_reset_by_the_plain_page,
    a_forgotten_password_is_reset_by_token_and_by_code,
    asking_for_a_reset_tells_nothing,
);

async fn changing_the_password_ends_every_earlier_session(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let (here, there) = (ana.login().await, ana.login().await);
    ana.me(&here.access).await.is(200);
    ana.me(&there.access).await.is(200);
    let change = async |current: &str, new: &str| {
        let body = json!({"currentPassword": current, "newPassword": new});
        ana.post("/auth/change-password", &here.access, &body).await
    };
    refused(&change("a wrong guess", NEW).await, ErrorCode::AuthInvalidCredentials);
    refused_field(&change(&ana.password, "password1").await, "newPassword");
    refused_field(&change(&ana.password, "short").await, "newPassword");
    ana.me(&here.access).await.is(200);

    let fresh = Tokens::of(change(&ana.password, NEW).await);
    for tokens in [&here, &there] {
        refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
        refused(&ana.refresh(&tokens.refresh).await, ErrorCode::AuthSessionRevoked);
    }
    ana.me(&fresh.access).await.is(200);
    refused(&ana.try_login(&ana.password).await, ErrorCode::AuthInvalidCredentials);
    ana.try_login(NEW).await.is(200);
    world.mails.arrives(&ana.email, CHANGED).await;
}

async fn a_forgotten_password_is_reset_by_the_plain_page(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let tokens = ana.login().await;
    let mail = forgot(world, &ana).await;
    let link = mail.link("/auth/reset-password").unwrap().strip_prefix(PUBLIC_URL).unwrap();
    let page = ana.edge.get(link).send().await.expect(200);
    assert!(page.text().contains("name=\"newPassword\""), "{}", page.text());

    let token = mail.token("/auth/reset-password").unwrap();
    let submit = async |password: &str| {
        let fields = [("token", token), ("newPassword", password)];
        ana.edge.submit("/auth/reset-password/page", &fields).send().await
    };
    let short = submit("short").await;
    assert!(short.text().contains("must have at least 8 characters"), "{}", short.text());
    ana.me(&tokens.access).await.is(200);

    let done = submit("something+else+entirely").await;
    assert!(done.text().contains("Your password is set"), "{}", done.text());
    refused(&ana.me(&tokens.access).await, ErrorCode::AuthTokenRevoked);
    refused(&ana.refresh(&tokens.refresh).await, ErrorCode::AuthSessionRevoked);
    refused(&ana.try_login(&ana.password).await, ErrorCode::AuthInvalidCredentials);
    ana.try_login(NEW).await.is(200);
    world.mails.arrives(&ana.email, CHANGED).await;
    assert!(submit("yet+another+secret").await.text().contains("This did not work"));
}

async fn a_forgotten_password_is_reset_by_token_and_by_code(world: &World) {
    let (ana, binh) = (Person::signed_up(world, "ana").await, Person::signed_up(world, "binh").await);
    let reset = async |person: &Person, token: &str, password: &str| {
        let body = json!({"token": token, "newPassword": password});
        person.edge.post("/auth/reset-password").json(body).send().await
    };
    let mail = forgot(world, &ana).await;
    let token = mail.token("/auth/reset-password").unwrap();
    refused_field(&reset(&ana, token, "short").await, "newPassword");
    assert_eq!(reset(&ana, token, NEW).await.expect(200).body, json!({}));
    refused(&reset(&ana, token, "yet another secret").await, ErrorCode::AuthLinkInvalid);
    ana.try_login(NEW).await.is(200);

    let mail = forgot(world, &binh).await;
    let proof = json!({"email": binh.email, "purpose": "forgot-password", "code": mail.code().unwrap()});
    let verified = binh.edge.post("/auth/otp/verify").json(&proof).send().await.expect(200);
    refused(&binh.edge.post("/auth/otp/verify").json(&proof).send().await, ErrorCode::AuthOtpInvalid);
    let token = verified.body["sessionToken"].as_str().unwrap();
    reset(&binh, token, NEW).await.is(200);
    refused(&reset(&binh, token, "yet another secret").await, ErrorCode::AuthLinkInvalid);
    let link = mail.token("/auth/reset-password").unwrap();
    refused(&reset(&binh, link, "yet another secret").await, ErrorCode::AuthLinkInvalid);
    binh.try_login(NEW).await.is(200);
}

async fn asking_for_a_reset_tells_nothing(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let nobody = Person::named(world, "nobody");
    for person in [&ana, &nobody] {
        let answer = ask(person).await;
        assert_eq!((answer.status, &answer.body), (202, &json!({})));
    }
    let mail = world.mails.arrives(&ana.email, RESET).await;
    assert_eq!(ask(&ana).await.status, 202, "within the cool-down the answer is the same");
    let login = [ana.try_login("a wrong guess").await, nobody.try_login("a wrong guess").await];
    assert_eq!(login[0].body["error"], login[1].body["error"]);

    // A mail that is sent later arrives later: had there been others, they would be there.
    let token = mail.token("/auth/reset-password").unwrap();
    let body = json!({"token": token, "newPassword": NEW});
    ana.edge.post("/auth/reset-password").json(body).send().await.is(200);
    world.mails.arrives(&ana.email, CHANGED).await;
    assert_eq!(world.mails.to(&nobody.email).len(), 0);
    let resets = world.mails.subjects(&ana.email).into_iter().filter(|subject| subject == RESET).count();
    assert_eq!(resets, 1);
}

async fn forgot(world: &World, person: &Person) -> Mail {
    ask(person).await.is(202);
    world.mails.arrives(&person.email, RESET).await
}

async fn ask(person: &Person) -> Reply {
    person.edge.post("/auth/forgot-password").json(json!({"email": person.email})).send().await
}
