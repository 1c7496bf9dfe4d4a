//! The frames a server sends: JSON `{"event","id"?,"data"?}`, printed by the contracts' plans. What is
//! told to several sockets is printed once.

use bytes::Bytes;
use prost::Message;
use proto::ServiceError;
use proto::edge::{
    SocketAuthOk, SocketError, SocketNotificationsRead, SocketPermissions, SocketProfile, SocketReset,
    SocketSession, SocketUnreadCount,
};
use proto::notify::Notification;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::asks::Id;
use crate::transcode::printer::{Printed, Printer};
use crate::transcode::text::write_text;

/// The plans of what servers say.
pub(super) struct Frames {
    auth_ok: Printer,
    notification: Printer,
    read: Printer,
    unread_count: Printer,
    reset: Printer,
    session: Printer,
    permissions: Printer,
    profile: Printer,
    error: Printer,
}

impl Frames {
    /// Compiles the plans; fails, saying why, where the contracts lack one.
    pub(super) fn compile() -> Result<Self, String> {
        let printer = |name: &str| {
            let message =
                proto::pool().get_message_by_name(name).ok_or_else(|| format!("there is no {name}"))?;
            Printer::compile(&message, None)
        };
        Ok(Self {
            auth_ok: printer("platform.edge.v1.SocketAuthOk")?,
            notification: printer("platform.notify.v1.Notification")?,
            read: printer("platform.edge.v1.SocketNotificationsRead")?,
            unread_count: printer("platform.edge.v1.SocketUnreadCount")?,
            reset: printer("platform.edge.v1.SocketReset")?,
            session: printer("platform.edge.v1.SocketSession")?,
            permissions: printer("platform.edge.v1.SocketPermissions")?,
            profile: printer("platform.edge.v1.SocketProfile")?,
            error: printer("platform.edge.v1.SocketError")?,
        })
    }

    /// Who signed in, and where the inbox stands.
    pub(super) fn auth_ok(&self, id: Option<&Id>, data: &SocketAuthOk) -> Utf8Bytes {
        frame("AUTH_OK", id, Some(&json(&self.auth_ok, data)))
    }

    /// A notification as REST shows it, and beside its fields the absolute count and the revision.
    pub(super) fn notification(&self, data: &Notification, unread_count: u32, revision: u32) -> Utf8Bytes {
        let mut printed = json(&self.notification, data);
        printed.pop();
        let comma = if printed.len() > 1 { "," } else { "" };
        let beside = format!("{comma}\"unreadCount\":{unread_count},\"revision\":{revision}}}");
        printed.extend_from_slice(beside.as_bytes());
        frame("notification:new", None, Some(&printed))
    }

    /// Notifications were read.
    pub(super) fn read(&self, data: &SocketNotificationsRead) -> Utf8Bytes {
        frame("notification:read", None, Some(&json(&self.read, data)))
    }

    /// How many are unread.
    pub(super) fn unread_count(&self, data: SocketUnreadCount) -> Utf8Bytes {
        frame("notification:unread-count", None, Some(&json(&self.unread_count, &data)))
    }

    /// The gap is too long: reload the list.
    pub(super) fn reset(&self, seq: u32) -> Utf8Bytes {
        frame("reset", None, Some(&json(&self.reset, &SocketReset { seq })))
    }

    /// A session changed.
    pub(super) fn session(&self, data: &SocketSession) -> Utf8Bytes {
        frame("user:session", None, Some(&json(&self.session, data)))
    }

    /// The user's rights changed.
    pub(super) fn permissions(&self, data: &SocketPermissions) -> Utf8Bytes {
        frame("user:permissions", None, Some(&json(&self.permissions, data)))
    }

    /// The user's profile changed.
    pub(super) fn profile(&self, data: &SocketProfile) -> Utf8Bytes {
        frame("user:profile", None, Some(&json(&self.profile, data)))
    }

    /// A frame of the client failed, or a close follows.
    pub(super) fn error(&self, id: Option<&Id>, error: &ServiceError) -> Utf8Bytes {
        let data = SocketError { code: error.code().as_str().to_owned(), message: error.text().to_owned() };
        frame("error", id, Some(&json(&self.error, &data)))
    }
}

/// A frame of the client was done.
pub(super) fn ack(id: &Id) -> Utf8Bytes {
    frame("ack", Some(id), None)
}

/// The answer to `ping`.
pub(super) fn pong(id: Option<&Id>) -> Utf8Bytes {
    frame("pong", id, None)
}

/// A message as JSON.
fn json(printer: &Printer, message: &impl Message) -> Vec<u8> {
    match printer.print(&message.encode_to_vec()) {
        Ok(Printed::Json(json)) => json,
        // Only a number that JSON lacks cannot be printed: the client learns that there is something.
        fault => {
            tracing::error!(?fault, "a frame cannot be printed");
            b"{}".to_vec()
        }
    }
}

fn frame(event: &str, id: Option<&Id>, data: Option<&[u8]>) -> Utf8Bytes {
    let mut out = Vec::with_capacity(48 + event.len() + data.map_or(0, <[u8]>::len));
    out.extend_from_slice(b"{\"event\":");
    write_text(&mut out, event);
    if let Some(id) = id {
        out.extend_from_slice(b",\"id\":");
        out.extend_from_slice(id.json().as_bytes());
    }
    if let Some(data) = data {
        out.extend_from_slice(b",\"data\":");
        out.extend_from_slice(data);
    }
    out.push(b'}');
    // All parts are UTF-8; should one not be, an empty frame says nothing.
    Utf8Bytes::try_from(Bytes::from(out)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_has_its_rest_form_with_count_and_revision_beside_it() {
        let frames = Frames::compile().unwrap();
        let notification = Notification {
            id: "0198".into(),
            seq: 7,
            r#type: "user.verified".into(),
            title: "Welcome \"Ana\"".into(),
            created_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..Notification::default()
        };
        insta::assert_snapshot!(frames.notification(&notification, 2, 9), @r#"{"event":"notification:new","data":{"id":"0198","seq":7,"type":"user.verified","title":"Welcome \"Ana\"","body":"","createdAt":"1970-01-01T00:00:00Z","unreadCount":2,"revision":9}}"#);
    }

    #[test]
    fn answers_carry_the_id_of_what_they_answer() {
        let frames = Frames::compile().unwrap();
        let id = Id::from_text("a\"b");
        insta::assert_snapshot!(ack(&id), @r#"{"event":"ack","id":"a\"b"}"#);
        insta::assert_snapshot!(pong(None), @r#"{"event":"pong"}"#);
        let error = ServiceError::invalid("since", "is wrong").source("inside");
        insta::assert_snapshot!(frames.error(Some(&id), &error), @r#"{"event":"error","id":"a\"b","data":{"code":"VALIDATION_ERROR","message":"The request is not valid."}}"#);
    }
}
