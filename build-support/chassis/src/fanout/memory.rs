//! The fan-out inside one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::subscription::WAITING_MAX;

/// The subscriptions of this process.
#[derive(Default)]
pub struct Memory {
    subjects: Arc<Subjects>,
    losses: watch::Sender<u64>,
}

/// Who reads which subject.
#[derive(Default)]
struct Subjects(Mutex<HashMap<String, Vec<mpsc::Sender<Bytes>>>>);

/// A subscription's end.
pub(super) struct Reader {
    subject: String,
    messages: mpsc::Receiver<Bytes>,
    subjects: Arc<Subjects>,
}

impl Memory {
    /// Hands the message to every subscription that has room for it.
    pub(super) fn publish(&self, subject: &str, payload: &Bytes) {
        for reader in self.subjects.lock().get(subject).into_iter().flatten() {
            // One without room finds out by itself that it lagged.
            let _ = reader.try_send(payload.clone());
        }
    }

    pub(super) fn subscribe(&self, subject: &str) -> Reader {
        let (sender, messages) = mpsc::channel(WAITING_MAX);
        self.subjects.lock().entry(subject.to_owned()).or_default().push(sender);
        Reader { subject: subject.to_owned(), messages, subjects: Arc::clone(&self.subjects) }
    }

    /// Never moves: nothing is ever lost on all subscriptions at once.
    pub(super) fn losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }
}

impl Reader {
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.messages.recv().await
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.messages.close();
        let mut subjects = self.subjects.lock();
        if let Some(readers) = subjects.get_mut(&self.subject) {
            readers.retain(|reader| !reader.is_closed());
            if readers.is_empty() {
                subjects.remove(&self.subject);
            }
        }
    }
}

impl Subjects {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<mpsc::Sender<Bytes>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_without_readers_leaves_nothing_behind() {
        let memory = Memory::default();
        let (one, other) = (memory.subscribe("a"), memory.subscribe("a"));
        drop(one);
        assert_eq!(memory.subjects.lock()["a"].len(), 1);
        drop(other);
        assert!(memory.subjects.lock().is_empty());
    }
}
