//! Why the edge ends a socket, and the code that tells its client (RFC 6455, section 7.4).

use proto::{ErrorCode, ServiceError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

/// Why a socket is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Close {
    /// The client does not speak the protocol.
    BadProtocol,
    /// Nobody signed in, the token expired, or the session ended.
    NotAuthenticated,
    /// The tenant is refused.
    Forbidden,
    /// The client reads too slowly.
    TooSlow,
    /// The client sends too much, or has too many sockets.
    TooMany,
    /// A frame is too large.
    TooLarge,
    /// This gateway ends, or cannot serve now: reconnect elsewhere, after a while.
    Draining,
}

impl Close {
    /// How a socket ends whose `AUTH` failed.
    pub(super) fn refusing(error: &ServiceError) -> Self {
        match (error.code(), error.code().http_status()) {
            (ErrorCode::TenantSuspended | ErrorCode::TenantMismatch, _) => Self::Forbidden,
            (_, 429 | 500..) => Self::Draining,
            _ => Self::NotAuthenticated,
        }
    }

    /// The close code.
    pub(super) fn code(self) -> u16 {
        match self {
            Self::TooLarge => 1009,
            Self::Draining => 1012,
            Self::BadProtocol => 4400,
            Self::NotAuthenticated => 4401,
            Self::Forbidden => 4403,
            Self::TooSlow => 4408,
            Self::TooMany => 4429,
        }
    }

    /// The same for metrics.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::TooLarge => "1009",
            Self::Draining => "1012",
            Self::BadProtocol => "4400",
            Self::NotAuthenticated => "4401",
            Self::Forbidden => "4403",
            Self::TooSlow => "4408",
            Self::TooMany => "4429",
        }
    }

    /// What goes out.
    pub(super) fn frame(self) -> CloseFrame {
        let reason = match self {
            Self::TooLarge => "a frame is too large",
            Self::Draining => "reconnect",
            Self::BadProtocol => "bad protocol",
            Self::NotAuthenticated => "not signed in",
            Self::Forbidden => "refused",
            Self::TooSlow => "too slow",
            Self::TooMany => "too many",
        };
        CloseFrame { code: self.code().into(), reason: reason.into() }
    }
}
