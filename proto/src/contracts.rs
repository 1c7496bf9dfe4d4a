//! The generated modules, a package a module. Nothing here is written by hand.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "generated code keeps its generator's style"
)]

include!(concat!(env!("OUT_DIR"), "/contracts.rs"));
include!(concat!(env!("OUT_DIR"), "/redacting_debug.rs"));
