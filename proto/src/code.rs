//! What each error code means: the table that the build script reads off the contract's options.

use std::collections::HashMap;
use std::sync::LazyLock;

use tonic::Code;

use crate::errors::{ErrorCode, UiAction};

struct Entry {
    number: i32,
    name: &'static str,
    http: u16,
    grpc: i32,
    ui: i32,
    message: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/error_table.rs"));

/// What a code reads as that must never be sent.
static FALLBACK: Entry = Entry {
    number: 90,
    name: "INTERNAL",
    http: 500,
    grpc: 13,
    ui: 7,
    message: "Something went wrong on our side.",
};

impl ErrorCode {
    /// Every code that may be sent, in the order of the contract.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().filter_map(|entry| Self::try_from(entry.number).ok())
    }

    /// The code as it goes over a wire: `AUTH_TOKEN_REVOKED`.
    pub fn as_str(self) -> &'static str {
        self.entry().name
    }

    /// The code of this name; `None` where the contract has no such code.
    pub fn parse(name: &str) -> Option<Self> {
        static BY_NAME: LazyLock<HashMap<&'static str, i32>> =
            LazyLock::new(|| TABLE.iter().map(|entry| (entry.name, entry.number)).collect());
        BY_NAME.get(name).and_then(|number| Self::try_from(*number).ok())
    }

    /// The HTTP status of the edge's answer.
    pub fn http_status(self) -> u16 {
        self.entry().http
    }

    /// The gRPC code inside the mesh.
    pub fn grpc_code(self) -> Code {
        Code::from_i32(self.entry().grpc)
    }

    /// What a user interface does about it.
    pub fn ui_action(self) -> UiAction {
        UiAction::try_from(self.entry().ui).unwrap_or(UiAction::Show)
    }

    /// The text outside where a service gives no better one.
    pub fn message(self) -> &'static str {
        self.entry().message
    }

    /// `Unspecified` is never sent; where it slips through it reads as a fault of ours.
    fn entry(self) -> &'static Entry {
        TABLE.iter().find(|entry| entry.number == self as i32).unwrap_or(&FALLBACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_says_its_status_and_a_text() {
        for code in ErrorCode::all() {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
            assert!((400..600).contains(&code.http_status()), "{code:?}");
            assert_ne!(code.grpc_code(), Code::Ok, "{code:?}");
            assert!(!code.message().is_empty(), "{code:?}");
            assert_ne!(code.ui_action(), UiAction::Unspecified, "{code:?}");
        }
        let declared = crate::pool().get_enum_by_name("platform.errors.v1.ErrorCode").unwrap();
        assert_eq!(ErrorCode::all().count(), declared.values().count() - 1, "all but UNSPECIFIED");
    }

    #[test]
    fn a_name_that_the_contract_lacks_is_no_code() {
        assert_eq!(ErrorCode::parse("AUTH_MADE_UP"), None);
        assert_eq!(ErrorCode::parse("UNSPECIFIED"), None);
    }
}
