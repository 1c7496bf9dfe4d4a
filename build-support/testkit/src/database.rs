//! Fresh databases: one value for whichever kind, gone when the test is over.

use std::fmt;
use std::ops::Deref;

use crate::{postgres, process};

/// A database nobody else uses; it is removed with the value. Reads as its address.
pub struct Database {
    /// The address for clients.
    pub url: String,
    remove: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Database {
    pub(crate) fn new(url: String, remove: impl FnOnce() + Send + Sync + 'static) -> Database {
        Database { url, remove: Some(Box::new(remove)) }
    }

    /// A SQLite file in a folder of its own, made at the first connection.
    pub fn sqlite() -> Database {
        let folder = process::folder();
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("test.db").display());
        Database::new(url, move || drop(folder))
    }
}

/// A fresh database of each kind the platform stands on, with the kind's name: one story, told on all.
pub fn databases() -> Vec<(&'static str, Database)> {
    vec![("sqlite", Database::sqlite()), ("postgres", postgres::fresh_database())]
}

impl Deref for Database {
    type Target = str;

    fn deref(&self) -> &str {
        &self.url
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(remove) = self.remove.take() {
            remove();
        }
    }
}
