//! Requests bound from path, query and body.

use proptest::prelude::*;
use prost_reflect::{ReflectMessage, prost::Message as _};
use proto::auth;

use super::*;

/// A request plan over one of the platform's own messages.
fn plan(message: &str, body: Option<&str>, path: &[&str]) -> RequestPlan {
    let pool = proto::pool();
    let input = pool.get_message_by_name(message).unwrap();
    let body = match body {
        None => BodyRule::None,
        Some("*") => BodyRule::Whole,
        Some(field) => BodyRule::Field(input.get_field_by_name(field).unwrap()),
    };
    let path = path
        .iter()
        .map(|name| PathField {
            fields: vec![input.get_field_by_name(name).unwrap()],
            id: name.ends_with("_id"),
        })
        .collect();
    RequestPlan {
        mask: RequestPlan::mask_field(&input, &http::Method::PATCH, &body),
        rules: Arc::new(Rules::compile(&input).unwrap()),
        words: Arc::new(Words::of(pool)),
        accept_form: false,
        input,
        path,
        body,
    }
}

fn login() -> RequestPlan {
    plan("platform.auth.v1.LoginRequest", Some("*"), &[])
}

fn update_me() -> RequestPlan {
    plan("platform.auth.v1.UpdateMeRequest", Some("profile"), &[])
}

fn json(text: &str) -> Body<'_> {
    Body { content_type: Some("application/json; charset=utf-8"), bytes: text.as_bytes() }
}

/// The refusal as a line: the code, then each complaint.
fn refusal(outcome: Result<DynamicMessage, ServiceError>) -> String {
    let error = outcome.unwrap_err();
    let complaints =
        error.violations().iter().map(|complaint| format!("; {} {}", complaint.field, complaint.message));
    format!("{}{}", error.code().as_str(), complaints.collect::<String>())
}

fn refused(plan: &RequestPlan, body: &str) -> String {
    refusal(plan.read(&[], None, json(body)))
}

fn typed<T: prost::Message + Default>(message: &DynamicMessage) -> T {
    T::decode(message.encode_to_vec().as_slice()).unwrap()
}

#[test]
fn a_body_is_bound_under_both_spellings_of_its_names() {
    for (name, word) in
        [("deviceType", "\"web\""), ("device_type", "\"DEVICE_TYPE_WEB\""), ("deviceType", "1")]
    {
        let body =
            format!(r#"{{"email":"a@b.c","password":"x","{name}":{word},"loginContext":{{"a":[1,null]}}}}"#);
        let message = login().read(&[], None, json(&body)).unwrap();
        let request: auth::LoginRequest = typed(&message);
        assert_eq!((request.email(), request.device_type()), ("a@b.c", auth::DeviceType::Web));
        assert_eq!(request.login_context.unwrap().fields.len(), 1);
    }
}

#[test]
fn null_leaves_a_field_unset() {
    let message = login().read(&[], None, json(r#"{"username":"ana","email":null,"password":"x"}"#)).unwrap();
    assert_eq!(typed::<auth::LoginRequest>(&message).email, None);
}

#[test]
fn every_complaint_names_its_field_and_all_come_at_once() {
    let body = r#"{"email":7,"pass":"x","deviceType":"fridge","login_context":[],"username":"a\u0000"}"#;
    insta::assert_snapshot!(refused(&login(), body), @"VALIDATION_ERROR; email must be a text; pass is not known; deviceType is not a known value; loginContext must be an object; username must not contain the character NUL; password must have at least 1 characters");
}

#[test]
fn nested_complaints_carry_their_whole_path() {
    insta::assert_snapshot!(refused(&update_me(), r#"{"displayName":"","timeZone":["UTC"],"x":{}}"#), @"VALIDATION_ERROR; timeZone must be a text; x is not known; displayName must have at least 1 characters");
    let roles = plan("platform.auth.v1.SetUserRolesRequest", Some("*"), &[]);
    insta::assert_snapshot!(refused(&roles, r#"{"roles":["A",null,3]}"#), @"VALIDATION_ERROR; roles[1] must be a text; roles[2] must be a text");
}

#[test]
fn what_cannot_be_read_is_malformed() {
    for body in [
        "{",
        "[]",
        "7",
        "null",
        r#"{"email":"a","email":"b"}"#,
        r#"{"deviceType":"web","device_type":"web"}"#,
    ] {
        assert_eq!(refused(&login(), body), "MALFORMED_REQUEST", "{body}");
    }
    let not_utf8 = Body { content_type: Some("application/json"), bytes: b"{\"email\":\"\xff\"}" };
    assert_eq!(refusal(login().read(&[], None, not_utf8)), "MALFORMED_REQUEST");
}

#[test]
fn a_body_says_what_it_is() {
    for content_type in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
    {
        let body = Body { content_type, bytes: b"{}" };
        assert_eq!(refusal(login().read(&[], None, body)), "UNSUPPORTED_MEDIA_TYPE", "{content_type:?}");
    }
    let empty = plan("platform.auth.v1.LogoutRequest", Some("*"), &[]);
    assert!(empty.read(&[], None, Body::default()).is_ok(), "an empty body is an empty object");
}

#[test]
fn a_form_is_read_where_the_policy_allows_it() {
    let mut plan = plan("platform.auth.v1.SubmitResetPasswordRequest", Some("*"), &[]);
    plan.accept_form = true;
    let body = Body {
        content_type: Some("application/x-www-form-urlencoded"),
        bytes: b"token=a%2Bb&newPassword=x+y",
    };
    let request: auth::SubmitResetPasswordRequest = typed(&plan.read(&[], None, body).unwrap());
    assert_eq!((request.token.as_str(), request.new_password.as_str()), ("a+b", "x y"));
    let twice = Body { bytes: b"token=a&token=b&more=1", ..body };
    assert_eq!(
        refusal(plan.read(&[], None, twice)),
        "VALIDATION_ERROR; token is given twice; more is not known"
    );
}

#[test]
fn a_query_is_bound_where_there_is_no_body() {
    let list = plan("platform.auth.v1.ListSessionsRequest", None, &[]);
    let request: auth::ListSessionsRequest =
        typed(&list.read(&[], Some("limit=20&cursor=a%20b"), Body::default()).unwrap());
    assert_eq!((request.limit, request.cursor.as_deref()), (Some(20), Some("a b")));
    let wrong = list.read(&[], Some("limit=101&page=x&access_token=t"), Body::default());
    insta::assert_snapshot!(refusal(wrong), @"VALIDATION_ERROR; page must be a whole number; access_token is not known; limit must be at most 100");
    assert_eq!(refusal(list.read(&[], Some("limit=%zz"), Body::default())), "MALFORMED_REQUEST");
    let with_body = login().read(&[], Some("email=a"), json(r#"{"username":"a","password":"x"}"#));
    assert_eq!(refusal(with_body), "VALIDATION_ERROR; email is not known");
}

#[test]
fn the_path_beats_the_body_and_an_id_that_is_none_names_nothing() {
    let id = "0190a5c8-7d4e-7000-8000-000000000001";
    let roles = plan("platform.auth.v1.SetUserRolesRequest", Some("*"), &["user_id"]);
    let message = roles.read(&[id], None, json(r#"{"userId":"somebody else","roles":["A"]}"#)).unwrap();
    assert_eq!(typed::<auth::SetUserRolesRequest>(&message).user_id, id);
    for segment in ["1", "%20", "0190a5c87d4e70008000000000000001", "me"] {
        assert_eq!(refusal(roles.read(&[segment], None, json("{"))), "NOT_FOUND", "{segment}");
    }
}

#[test]
fn a_patch_names_what_it_changes() {
    let message = update_me().read(&[], None, json(r#"{"displayName":"Ana","time_zone":null}"#)).unwrap();
    let request: auth::UpdateMeRequest = typed(&message);
    assert_eq!(request.update_mask.unwrap().paths, ["display_name", "time_zone"]);
    assert_eq!(request.profile.unwrap().time_zone, None);
    let given = update_me().read(&[], Some("updateMask=locale"), json(r#"{"displayName":"Ana"}"#)).unwrap();
    assert_eq!(typed::<auth::UpdateMeRequest>(&given).update_mask.unwrap().paths, ["locale"]);
}

#[test]
fn a_text_is_found_by_its_field_path() {
    let message = login().read(&[], None, json(r#"{"email":"a@b.c","password":"x"}"#)).unwrap();
    let field = |name: &str| vec![message.descriptor().get_field_by_name(name).unwrap()];
    assert_eq!(text_at(&message, &field("email")).as_deref(), Some("a@b.c"));
    assert_eq!(text_at(&message, &field("username")), None);
}

proptest! {
    #[test]
    fn no_body_and_no_query_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..120), query in "\\PC{0,60}") {
        for plan in [login(), update_me()] {
            let body = Body { content_type: Some("application/json"), bytes: &body };
            let _ = plan.read(&[], Some(&query), body);
        }
        let list = plan("platform.auth.v1.ListSessionsRequest", None, &[]);
        let _ = list.read(&[], Some(&query), Body::default());
    }

    #[test]
    fn every_value_is_taken_or_complained_of(key in "(email|deviceType|loginContext|password)", value in "(1|1\\.5|-1|1e99|\"x\"|\"\"|null|true|\\[\\]|\\{\\}|\\[null\\])") {
        let body = format!(r#"{{"{key}":{value}}}"#);
        if let Err(error) = login().read(&[], None, json(&body)) {
            prop_assert_eq!(error.code(), ErrorCode::ValidationError);
            prop_assert!(!error.violations().is_empty());
        }
    }
}
