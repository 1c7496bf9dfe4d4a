//! What it takes to answer a client's frame: the token is judged, the person greets the socket, notify
//! marks as read. A connection runs one of these at a time.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;
use proto::{ErrorCode, ServiceError};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::Sockets;
use super::asks::Id;
use super::close::Close;
use super::frames;
use super::hub::{Command, Join, Refusal};
use super::socket::{SignedIn, Socket};
use crate::guard::authenticate::Admission;

/// How a frame was answered.
pub(super) enum Answered {
    /// Somebody is signed in until then; the greeting is in the outbox.
    SignedIn(DateTime<Utc>),
    /// With nothing: it was done, and has no id.
    Done,
    /// With this frame.
    Said(Utf8Bytes),
    /// With this frame and the socket's end.
    Refused(Utf8Bytes, Close),
    /// With the socket's end: the person has them all.
    OneTooMany,
}

/// What a frame is answered with, and on whose behalf.
pub(super) struct Asked {
    pub(super) sockets: Arc<Sockets>,
    pub(super) socket: Arc<Socket>,
    /// What its client calls the frame.
    pub(super) id: Option<Id>,
}

impl Asked {
    /// Signs somebody in.
    pub(super) async fn sign_in(self, token: SecretString, since: Option<u32>) -> Answered {
        let admitted = match self.sockets.pace.turn().await {
            Ok(()) => self.admit(&token).await,
            Err(error) => Err(error),
        };
        let admission = match admitted {
            Ok(admission) => admission,
            Err(error) => return self.refuse(&error),
        };
        self.take_in(&admission, token);
        let greeted = self.greet(&admission, since, Command::Join).await;
        self.greeted(greeted, &admission)
    }

    /// Signs the same person in again, before the token expires.
    pub(super) async fn renew(self, token: SecretString, before: SignedIn) -> Answered {
        let admission = match self.admit(&token).await {
            Ok(admission) if admission.user_id == before.user_id => admission,
            Ok(_) => return self.refuse(&ErrorCode::AuthTokenInvalid.into()),
            // Nobody can tell at this moment: the token before is good for its time.
            Err(error) if error.code().http_status() >= 500 => return self.fail(&error),
            Err(error) => return self.refuse(&error),
        };
        self.take_in(&admission, token);
        let greeted = self.greet(&admission, None, Command::Renew).await;
        self.greeted(greeted, &admission)
    }

    /// Marks one notification as read, or all.
    pub(super) async fn mark(self, signed_in: SignedIn, notification_id: Option<String>) -> Answered {
        let admission = match self.admit(&signed_in.token).await {
            Ok(admission) => admission,
            Err(error) if is_end(error.code()) => return self.refuse(&error),
            Err(error) => return self.fail(&error),
        };
        let (inbox, facts) = (&self.sockets.hub.inbox, &self.socket.facts);
        let passport = &admission.caller.passport;
        let marked = match notification_id {
            Some(id) => inbox.mark_read(facts, passport, id).await,
            None => inbox.mark_all_read(facts, passport).await,
        };
        match marked {
            Ok(()) => self.id.as_ref().map_or(Answered::Done, |id| Answered::Said(frames::ack(id))),
            Err(error) => self.fail(&error),
        }
    }

    /// Whom a token stands for. A socket has no use for the leeway of a token's end.
    async fn admit(&self, token: &SecretString) -> Result<Admission, ServiceError> {
        let admission = self.sockets.authenticator.admit(token.expose_secret(), &self.socket.facts).await?;
        if admission.expires_at <= self.sockets.clock.now() {
            return Err(ErrorCode::AuthTokenExpired.into());
        }
        Ok(admission)
    }

    fn take_in(&self, admission: &Admission, token: SecretString) {
        self.socket.sign_in(SignedIn {
            user_id: admission.user_id,
            session_id: admission.session_id,
            token: Arc::new(token),
            vouched_at: Instant::now(),
        });
    }

    async fn greet(
        &self,
        admission: &Admission,
        since: Option<u32>,
        command: fn(Box<Join>) -> Command,
    ) -> Result<(), Refusal> {
        let greet = |answer| {
            command(Box::new(Join {
                socket: self.socket.clone(),
                id: self.id.clone(),
                since,
                expires_at: Timestamp { seconds: admission.expires_at.timestamp(), nanos: 0 },
                answer,
            }))
        };
        self.sockets.hub.greet(admission.user_id, greet).await
    }

    fn greeted(&self, greeted: Result<(), Refusal>, admission: &Admission) -> Answered {
        match greeted {
            Ok(()) => Answered::SignedIn(admission.expires_at),
            Err(Refusal::TooMany) => Answered::OneTooMany,
            Err(Refusal::Failed(error)) => self.refuse(&ServiceError::unavailable(error)),
        }
    }

    fn refuse(&self, error: &ServiceError) -> Answered {
        tracing::info!(code = error.code().as_str(), %error, "a socket is refused");
        Answered::Refused(self.error(error), Close::refusing(error))
    }

    fn fail(&self, error: &ServiceError) -> Answered {
        tracing::debug!(code = error.code().as_str(), %error, "a socket's frame failed");
        Answered::Said(self.error(error))
    }

    fn error(&self, error: &ServiceError) -> Utf8Bytes {
        self.sockets.hub.frames.error(self.id.as_ref(), error)
    }
}

/// Whether a refusal means that the session is over. Outdated rights do not: the client gets a fresh token
/// and signs in again on the same socket.
pub(super) fn is_end(code: ErrorCode) -> bool {
    matches!(code.http_status(), 401 | 403) && code != ErrorCode::AuthTokenStale
}
