//! The tables as sea-orm sees them; nothing above `store` names a row.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a column says what it is by its name, and sea-orm wants its types public"
)]

pub(super) mod audit_record;
pub(super) mod counter;
pub(super) mod link;
pub(super) mod refresh_token;
pub(super) mod role;
pub(super) mod session;
pub(super) mod signing_key;
pub(super) mod tenant;
pub(super) mod user_account;
pub(super) mod user_role;
