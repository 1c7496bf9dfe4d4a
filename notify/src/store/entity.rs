//! The tables as sea-orm sees them; nothing above `store` names a row.

#![allow(
    missing_docs,
    unreachable_pub,
    reason = "a column says what it is by its name, and sea-orm wants its types public"
)]

pub(super) mod attempt;
pub(super) mod delivery;
pub(super) mod event;
pub(super) mod inbox;
pub(super) mod notification;
pub(super) mod send_key;
