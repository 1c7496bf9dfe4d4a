//! The edge of the platform: REST made from the contracts, with every check before a call goes on.
//!
//! A request is [accepted](accept), finds its [route](routes), passes the [guards](guard), is
//! [transcoded](transcode), and goes [upstream]; [`edge`] tells that way from top to bottom. Nothing here
//! knows an endpoint by name: routes, limits and permissions are read from the contracts' options. What
//! stays open instead of being answered is told in [`ws`].

pub mod accept;
pub mod answer;
mod app;
pub mod config;
mod contract;
pub mod edge;
pub mod guard;
pub mod meter;
pub mod observe;
pub mod routes;
pub mod transcode;
pub mod upstream;
pub mod ws;

pub use app::{Gateway, Parts, StartError, build, builtin_routes};
