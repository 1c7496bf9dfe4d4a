//! The rules of our own contracts, checked on messages a client might send.

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage};

use super::*;
use crate::{auth, notify, pool};

fn complaints(name: &str, message: &impl Message) -> Vec<String> {
    let descriptor = pool().get_message_by_name(name).unwrap();
    let message = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).unwrap();
    let found = check_once(&message).unwrap();
    found.into_iter().map(|violation| format!("{} {}", violation.field, violation.message)).collect()
}

#[test]
fn every_contract_compiles() {
    for service in pool().services() {
        for method in service.methods() {
            if let Err(unsupported) = Rules::compile(&method.input()) {
                panic!("{}: rule {} is not supported", unsupported.field, unsupported.rule);
            }
        }
    }
}

#[test]
fn a_good_request_has_no_complaint() {
    let request = auth::RegisterRequest {
        email: "ana@example.org".into(),
        password: "correct horse battery".into(),
        username: Some("ana".into()),
        locale: Some("vi-VN".into()),
        ..Default::default()
    };
    assert_eq!(complaints("platform.auth.v1.RegisterRequest", &request), Vec::<String>::new());
}

#[test]
fn every_wrong_field_is_named_as_json_names_it() {
    let request = auth::RegisterRequest {
        password: "short".into(),
        display_name: Some(String::new()),
        phone: Some("0901".into()),
        ..Default::default()
    };
    assert_eq!(
        complaints("platform.auth.v1.RegisterRequest", &request),
        [
            "email must have at least 3 characters",
            "password must have at least 8 characters",
            "displayName must have at least 1 characters",
            "phone is not of the right form",
        ]
    );
}

#[test]
fn nested_messages_and_items_are_checked() {
    let event = notify::Event { id: "x".into(), user_ids: vec!["y".into()], ..Default::default() };
    let found =
        complaints("platform.notify.v1.PublishRequest", &notify::PublishRequest { event: Some(event) });
    assert!(found.contains(&"event.id is no UUID".to_owned()), "{found:?}");
    assert!(found.contains(&"event.userIds[0] is no UUID".to_owned()), "{found:?}");
    let found = complaints("platform.notify.v1.PublishRequest", &notify::PublishRequest { event: None });
    assert_eq!(found, ["event is required"]);
}

#[test]
fn enums_are_held_to_the_values_they_have() {
    let request = auth::VerifyCodeRequest { email: "a@b.c".into(), purpose: 0, code: "123456".into() };
    assert_eq!(
        complaints("platform.auth.v1.VerifyCodeRequest", &request),
        ["purpose is not an allowed value"]
    );
    let request = auth::LoginRequest { password: "x".into(), device_type: Some(99), ..Default::default() };
    assert_eq!(complaints("platform.auth.v1.LoginRequest", &request), ["deviceType is not a known value"]);
}

#[test]
fn a_message_without_rules_is_empty() {
    let descriptor =
        DynamicMessage::new(pool().get_message_by_name("platform.auth.v1.GetMeRequest").unwrap())
            .descriptor();
    assert!(Rules::compile(&descriptor).unwrap().is_empty());
}

#[test]
fn secrets_do_not_show_in_debug() {
    let request = auth::LoginRequest {
        password: "hunter2 hunter2".into(),
        username: Some("ana".into()),
        ..Default::default()
    };
    let shown = format!("{request:?}");
    assert!(shown.contains("ana") && !shown.contains("hunter2"), "{shown}");
}
