//! Somebody at the edge: an HTTP client that comes from an address of its own.

use std::sync::atomic::{AtomicU8, Ordering};

use testkit::http::{Call, Client};

/// A client behind a proxy that the edge trusts.
#[derive(Clone)]
pub(crate) struct Visitor {
    client: Client,
    address: String,
}

impl Visitor {
    /// A visitor from an address that nobody else in this world comes from.
    pub(crate) fn new(client: Client) -> Visitor {
        static VISITORS: AtomicU8 = AtomicU8::new(1);
        let address = format!("198.51.100.{}", VISITORS.fetch_add(1, Ordering::Relaxed));
        Visitor { client, address }
    }

    /// One more visitor, from elsewhere.
    pub(crate) fn another(&self) -> Visitor {
        Visitor::new(self.client.clone())
    }

    /// Where the visitor comes from.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.sent_from_here(self.client.get(path))
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.sent_from_here(self.client.post(path))
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.sent_from_here(self.client.put(path))
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.sent_from_here(self.client.patch(path))
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.sent_from_here(self.client.delete(path))
    }

    /// Sends a form, as a browser does.
    pub(crate) fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Call {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.post(path).body("application/x-www-form-urlencoded", fields.join("&"))
    }

    fn sent_from_here(&self, call: Call) -> Call {
        call.header("x-forwarded-for", &self.address)
    }
}
