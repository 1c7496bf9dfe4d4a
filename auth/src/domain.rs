//! What is true on paper: invariants and judgements, with neither clock nor database nor wire.

pub mod access_token;
pub mod audit;
pub mod code;
pub mod cursor;
pub mod event;
pub mod link;
pub mod origin;
pub mod password;
pub mod phc;
pub mod refresh_token;
pub mod role;
pub mod session;
pub mod signing_key;
pub mod tenant;
pub mod user;
