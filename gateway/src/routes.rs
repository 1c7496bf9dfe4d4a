//! From descriptors to routes: which method answers a path and a verb, and under which policy. Every
//! fault of a contract shows when the edge starts; requests' contents are not seen here.

mod binding;
mod compile;
mod registry;
mod rpc;
mod table;
mod template;

pub use binding::Binding;
pub use compile::{Fault, Route, compile};
pub use rpc::{Rpc, Target};
pub use table::{Found, Table};
pub use template::Template;

#[cfg(test)]
mod tests;
