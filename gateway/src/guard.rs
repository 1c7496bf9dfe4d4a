//! What a request must pass before it goes on, and the facts about its client that go with it. Reading
//! its content is `transcode`'s affair.

pub mod authenticate;
pub mod client_ip;
pub mod facts;
pub mod head;
pub mod headers;
pub mod rate_limit;
pub mod tenant;
