//! How answers are judged: a success by its status, a refusal by all that belongs to it.

use proto::ErrorCode;
use serde_json::Value;
use testkit::http::Reply;

/// An answer of which only the status matters.
pub(crate) trait Judge {
    /// Holds that the status is this one; another shows what came.
    fn is(&self, status: u16);
}

impl Judge for Reply {
    #[track_caller]
    fn is(&self, status: u16) {
        assert_eq!(self.status, status, "{}", self.text());
    }
}

/// Holds that an answer refuses with this code, in the envelope and with all that belongs to it.
#[track_caller]
pub(crate) fn refused(reply: &Reply, code: ErrorCode) {
    let text = reply.text();
    assert_eq!((reply.status, reply.code()), (code.http_status(), &Value::from(code.as_str())), "{text}");
    let (body, error) = (&reply.body, &reply.body["error"]);
    assert_eq!(names(body), ["error", "traceId"], "{text}");
    let known = names(error).into_iter().all(|name| matches!(name, "code" | "message" | "details"));
    assert!(known && error["message"].as_str().is_some_and(|message| !message.is_empty()), "{text}");
    assert!(error["details"].is_null() || code == ErrorCode::ValidationError, "{text}");

    let trace = body["traceId"].as_str().unwrap_or_default();
    assert!(trace.len() == 32 && trace.bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
    assert_eq!(reply.header("content-type"), "application/json", "{text}");
    assert!(!reply.header("x-request-id").is_empty(), "{:?}", reply.headers);
    if code.http_status() == 401 {
        assert!(!reply.header("www-authenticate").is_empty(), "{:?}", reply.headers);
    }
}

/// Holds that an answer refuses one field of the request.
#[track_caller]
pub(crate) fn refused_field(reply: &Reply, field: &str) {
    refused(reply, ErrorCode::ValidationError);
    let details = reply.body["error"]["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    assert!(details.iter().any(|detail| detail["field"] == field), "no `{field}`: {}", reply.text());
}

fn names(object: &Value) -> Vec<&str> {
    object.as_object().map(|members| members.keys().map(String::as_str).collect()).unwrap_or_default()
}
