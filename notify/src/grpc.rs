//! The contracts as they are served: a file a service, an rpc is parse, flow, answer.

pub(crate) mod broadcast_service;
mod convert;
pub(crate) mod event_service;
pub(crate) mod inbox_service;
