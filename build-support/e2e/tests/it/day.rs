//! A person's day: from the first visit to the end of the session.

use proto::ErrorCode;
use serde_json::json;

use crate::judge::{Judge, refused, refused_field};
use crate::world::{PUBLIC_URL, Person, Tokens, World};

const CONFIRM_VI: &str = "Xác nhận địa chỉ email của bạn";
const WELCOME: &str = "Welcome to Platform";

everywhere!(
    a_person_registers_verifies_and_signs_in,
    a_person_reads_and_changes_their_profile,
    an_address_is_verified_by_the_code_of_the_mail,
    an_address_is_verified_by_the_form_of_the_plain_page,
    registering_an_address_again_tells_only_its_owner,
);

async fn a_person_registers_verifies_and_signs_in(world: &World) {
    let ana = Person::named(world, "ana");
    let registered = ana.register(&json!({"displayName": "Ana", "username": "ana"})).await.expect(202);
    assert_eq!(registered.body, json!({}));
    refused(&ana.try_login(&ana.password).await, ErrorCode::AuthAccountUnverified);

    let mail = ana.confirmation(world).await;
    assert!(mail.link("/auth/verify-email").unwrap().starts_with(PUBLIC_URL), "{}", mail.text);
    assert!(mail.html.contains("/auth/verify-email"), "{}", mail.html);
    let proof = json!({"token": mail.token("/auth/verify-email").unwrap()});
    let verified = ana.edge.post("/auth/verify-email").json(&proof).send().await.expect(200);
    assert_eq!(verified.body, json!({}));
    refused(&ana.edge.post("/auth/verify-email").json(&proof).send().await, ErrorCode::AuthLinkInvalid);
    world.mails.arrives(&ana.email, WELCOME).await;

    let signed_in = ana.try_login(&ana.password).await.expect(200);
    assert_eq!(signed_in.body["tokenType"], "Bearer");
    assert_eq!(signed_in.body["expiresIn"], 900);
    assert_eq!(signed_in.body["user"]["email"], ana.email);
    assert_eq!(signed_in.header("cache-control"), "no-store");
    let by_name = json!({"username": "ana", "password": ana.password, "deviceType": "kiosk"});
    let kiosk = Tokens::of(ana.edge.post("/auth/login").json(by_name).send().await);

    let sessions = ana.edge.get("/auth/sessions").bearer(&kiosk.access).send().await.expect(200);
    let items = sessions.body["items"].as_array().unwrap();
    let kinds: Vec<_> = items.iter().map(|item| (&item["deviceType"], &item["current"])).collect();
    assert_eq!(kinds, [(&json!("kiosk"), &json!(true)), (&json!("unknown"), &json!(false))]);
    for item in items {
        assert_eq!(item["authMethod"], "local");
        assert_eq!(item["status"], "active");
        assert_eq!(item["ipAddress"], ana.edge.address());
    }
    assert_eq!(world.mails.subjects(&ana.email), ["Confirm your e-mail address", WELCOME]);
}

async fn a_person_reads_and_changes_their_profile(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let tokens = ana.login().await;
    let me = ana.me(&tokens.access).await.expect(200);
    assert_eq!(me.header("cache-control"), "no-store");
    for (field, value) in [
        ("email", json!(ana.email)),
        ("emailVerified", json!(true)),
        ("locale", json!("en")),
        ("status", json!("active")),
        ("roles", json!(["USER"])),
    ] {
        assert_eq!(me.body[field], value, "{}", me.text());
    }
    for alias in ["/auth/me", "/auth/profile"] {
        let read = ana.edge.get(alias).bearer(&tokens.access).send().await.expect(200);
        assert_eq!(read.body, me.body);
    }

    let change = json!({"displayName": "Ana Trần", "timeZone": "Asia/Ho_Chi_Minh"});
    let changed = ana.edge.patch("/me").bearer(&tokens.access).json(change).send().await.expect(200);
    assert_eq!(changed.body["displayName"], "Ana Trần");
    assert_eq!(ana.me(&tokens.access).await.expect(200).body, changed.body);
    let cleared = json!({"displayName": null});
    let cleared = ana.edge.patch("/me").bearer(&tokens.access).json(cleared).send().await.expect(200);
    assert_eq!(cleared.body["displayName"], json!(null));
    assert_eq!(cleared.body["timeZone"], "Asia/Ho_Chi_Minh");
    // Nobody gives themselves a role, or another address, by naming it.
    for (field, value) in [("roles", json!(["ADMIN"])), ("email", json!("eve@example.org"))] {
        let raised = ana.edge.patch("/me").bearer(&tokens.access).json(json!({field: value})).send().await;
        refused_field(&raised, field);
    }
}

async fn an_address_is_verified_by_the_code_of_the_mail(world: &World) {
    let ana = Person::named(world, "ana");
    ana.register(&json!({})).await.is(202);
    let mail = ana.confirmation(world).await;
    let code = mail.code().unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let verify = async |code: &str| {
        let proof = json!({"email": ana.email, "code": code});
        ana.edge.post("/auth/verify-email").json(proof).send().await
    };

    refused(&verify(wrong).await, ErrorCode::AuthOtpInvalid);
    let again = json!({"email": ana.email});
    let again = ana.edge.post("/auth/verify-email/resend").json(again).send().await.expect(202);
    assert!((1..=60).contains(&again.body["resendAfter"].as_i64().unwrap()), "{}", again.text());
    verify(code).await.is(200);
    refused(&verify(code).await, ErrorCode::AuthOtpInvalid);
    ana.login().await;
    world.mails.arrives(&ana.email, WELCOME).await;
    assert_eq!(world.mails.to(&ana.email).len(), 2, "within the cool-down nothing is sent again");
}

async fn an_address_is_verified_by_the_form_of_the_plain_page(world: &World) {
    let binh = Person::named(world, "binh");
    binh.register(&json!({"locale": "vi-VN"})).await.is(202);
    let mail = world.mails.arrives(&binh.email, CONFIRM_VI).await;
    let link = mail.link("/auth/verify-email").unwrap().strip_prefix(PUBLIC_URL).unwrap();

    let page = binh.edge.get(link).header("accept-language", "vi").send().await.expect(200);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("<html lang=\"vi\">"), "{}", page.text());
    assert!(page.text().contains("action=\"/auth/verify-email/page\""), "{}", page.text());
    // A scanner that follows the link has proved nothing.
    refused(&binh.try_login(&binh.password).await, ErrorCode::AuthAccountUnverified);

    let token = mail.token("/auth/verify-email").unwrap();
    let done = binh.edge.submit("/auth/verify-email/page", &[("token", token)]).send().await.expect(200);
    assert!(done.text().contains("Your address is confirmed"), "{}", done.text());
    binh.login().await;
    let used = binh.edge.submit("/auth/verify-email/page", &[("token", token)]).send().await;
    assert!(used.text().contains("This did not work"), "{}", used.text());
}

async fn registering_an_address_again_tells_only_its_owner(world: &World) {
    let ana = Person::signed_up(world, "ana").await;
    let tokens = ana.login().await;
    let mallory =
        Person { edge: world.edge.another(), email: ana.email.clone(), password: "mallory wants in".into() };
    let known = mallory.register(&json!({"displayName": "Mallory"})).await;
    let unknown = Person::named(world, "somebody").register(&json!({"displayName": "Somebody"})).await;
    assert_eq!((known.status, &known.body), (202, &json!({})));
    assert_eq!((unknown.status, &unknown.body), (202, &json!({})));

    world.mails.arrives(&ana.email, "You already have an account").await;
    refused(&mallory.try_login(&mallory.password).await, ErrorCode::AuthInvalidCredentials);
    assert_eq!(ana.me(&tokens.access).await.expect(200).body["displayName"], json!(null));
    ana.login().await;
}
