//! What notify knows of events, deliveries and the words of a message: true on paper, with neither
//! database nor clock.

pub(crate) mod attempt;
pub(crate) mod delivery;
pub(crate) mod device;
pub(crate) mod event;
pub(crate) mod hint;
pub(crate) mod locale;
pub(crate) mod notification;
pub(crate) mod recipient;
pub(crate) mod sending;
