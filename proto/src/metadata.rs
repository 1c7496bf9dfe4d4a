//! The names of the headers that travel inside the mesh. The edge drops them from what comes from
//! outside and sets them itself.

/// The passport: who the caller is, said by auth, for at most a minute.
pub const PASSPORT: &str = "x-passport";
/// The request's id, in every log line.
pub const REQUEST_ID: &str = "x-request-id";
/// The W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// The client's address, as the edge knows it.
pub const CLIENT_IP: &str = "x-client-ip";
/// The client's `User-Agent`, cut to 512 bytes.
pub const CLIENT_AGENT: &str = "x-client-agent";
/// The tenant asked for where there is no token: an id or a short name.
pub const TENANT: &str = "x-tenant-id";
/// The languages the client prefers.
pub const LANGUAGE: &str = "accept-language";
/// Every name that only the edge may set.
pub const INTERNAL: [&str; 3] = [PASSPORT, CLIENT_IP, CLIENT_AGENT];
