//! What each kind of push means to a person's sockets.

use std::cmp::Ordering;

use chassis::fanout::Received;
use prost::Message;
use proto::edge::{SocketNotificationsRead, SocketPermissions, SocketProfile, SocketSession};
use proto::notify::push::Told;
use proto::notify::{NotificationCame, NotificationsRead, Push, SessionChanged};

use super::Person;
use crate::ws::close::Close;

/// The status of a session that goes on.
const ACTIVE: &str = "active";

impl Person {
    /// Hears a push, or that some may be missing.
    pub(super) fn hear(&mut self, received: Option<Received>) {
        match received {
            Some(Received::Message(bytes)) => match Push::decode(bytes) {
                Ok(Push { told: Some(told), .. }) => self.told(told),
                Ok(Push { told: None, .. }) => tracing::debug!("a push of a kind that is not known"),
                Err(error) => tracing::error!(%error, "a push cannot be read"),
            },
            Some(Received::Lagged) => self.lack(),
            None => self.subscription = None,
        }
    }

    fn told(&mut self, told: Told) {
        let frames = &self.hub.frames;
        match told {
            Told::Came(came) => self.came(came),
            Told::Read(read) => self.read(read),
            Told::Session(session) => self.session(session),
            Told::Permissions(rights) => self.tell(
                &frames
                    .permissions(&SocketPermissions { roles: rights.roles, permissions: rights.permissions }),
            ),
            Told::Profile(profile) => self.tell(&frames.profile(&SocketProfile { fields: profile.fields })),
        }
    }

    fn came(&mut self, came: NotificationCame) {
        let Some(notification) = came.notification else { return };
        match notification.seq.cmp(&self.seq.saturating_add(1)) {
            Ordering::Equal => {
                self.count(came.unread_count, came.revision);
                self.tell_notification(&notification);
            }
            Ordering::Less => metrics::counter!("platform_edge_socket_doubles_total").increment(1),
            // Publishing is concurrent: the one before may still be under way, but is in the database.
            Ordering::Greater => {
                metrics::counter!("platform_edge_socket_holes_total").increment(1);
                self.lack();
            }
        }
    }

    fn read(&mut self, read: NotificationsRead) {
        self.count(read.unread_count, read.revision);
        self.tell(&self.hub.frames.read(&SocketNotificationsRead {
            ids: read.ids,
            up_to_seq: read.up_to_seq,
            unread_count: self.unread_count,
            revision: self.revision,
        }));
    }

    /// An ended session closes its sockets, behind the news of it.
    fn session(&self, session: SessionChanged) {
        let is_over = session.status != ACTIVE;
        let data =
            SocketSession { session_id: session.session_id, status: session.status, reason: session.reason };
        self.tell(&self.hub.frames.session(&data));
        let Ok(session_id) = data.session_id.parse() else { return };
        for seat in self.seats.iter().filter(|seat| is_over && seat.socket.session_id() == Some(session_id)) {
            seat.socket.outbox.close(Close::NotAuthenticated);
        }
    }

    /// The newest count stays: pushes may overtake each other.
    fn count(&mut self, unread_count: u32, revision: u32) {
        if revision >= self.revision {
            (self.unread_count, self.revision) = (unread_count, revision);
        }
    }
}
