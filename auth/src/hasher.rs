//! Hashes passwords on threads of its own: as many as there are cores, at a lower priority than the
//! runtime, with memory they keep, behind a queue that has an end. What is hashed and what follows
//! from it is not known here.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use argon2::Block;
use chassis::Ids;
use proto::{ErrorCode, ServiceError};
use tokio::sync::oneshot;

use crate::config::Hashing;
use crate::domain::password::Password;
use crate::domain::phc::{Cost, Phc};

/// How much lower than the runtime's the threads' priority is, in steps of `nice`.
const NICENESS: i32 = 5;
const SALT_LEN: usize = 16;

/// The pool. Clones share its threads, which end with the last of them.
#[derive(Clone)]
pub struct Hasher {
    cost: Cost,
    ids: Ids,
    queue: mpsc::SyncSender<Work>,
    /// The hash of nothing: what is compared where there is no account.
    decoy: Arc<Phc>,
}

enum Work {
    Hash { password: Password, salt: [u8; SALT_LEN], done: oneshot::Sender<Option<String>> },
    Verify { password: Password, against: Box<Phc>, done: oneshot::Sender<bool> },
}

/// What became of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The right password.
    Right,
    /// The right password, under a cost that is no longer the configured one.
    RightButOutdated,
    /// The wrong password, or none to compare with.
    Wrong,
}

impl Hasher {
    /// Starts the threads. Fails where the cost is out of argon2's bounds or no thread can be had.
    pub fn start(config: Hashing, ids: Ids) -> Result<Self, ServiceError> {
        let cost = Cost { memory_kib: config.memory_kib, passes: config.passes, lanes: 1 };
        let decoy = Phc::hash(cost, &ids.bytes::<SALT_LEN>(), &ids.bytes::<32>(), &mut Vec::new())
            .map_err(ServiceError::internal)?;
        let (queue, work) = mpsc::sync_channel(config.queue.max(1));
        let work = Arc::new(Mutex::new(work));
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let threads = if config.threads == 0 { cores } else { config.threads };
        for number in 0..threads {
            let work = Arc::clone(&work);
            thread::Builder::new()
                .name(format!("hash-{number}"))
                .spawn(move || run(&work, cost))
                .map_err(ServiceError::internal)?;
        }
        Ok(Self { cost, ids, queue, decoy: Arc::new(decoy) })
    }

    /// The password's hash, a PHC string. Fails with OVERLOADED where the queue is full.
    pub async fn hash(&self, password: Password) -> Result<String, ServiceError> {
        let (done, answer) = oneshot::channel();
        self.enqueue(Work::Hash { password, salt: self.ids.bytes(), done })?;
        let hash = answer.await.map_err(ServiceError::internal)?;
        hash.ok_or_else(|| ServiceError::internal("the password could not be hashed"))
    }

    /// Compares a password with a stored hash, or with a decoy in the same time. Fails with OVERLOADED
    /// where the queue is full.
    pub async fn verify(&self, password: Password, stored: Option<&str>) -> Result<Verdict, ServiceError> {
        let stored = stored.and_then(Phc::parse);
        let outdated = stored.as_ref().is_some_and(|hash| hash.cost != self.cost);
        let is_known = stored.is_some();
        let against = Box::new(stored.unwrap_or_else(|| Phc::clone(&self.decoy)));
        let (done, answer) = oneshot::channel();
        self.enqueue(Work::Verify { password, against, done })?;
        let right = answer.await.map_err(ServiceError::internal)?;
        Ok(match (right && is_known, outdated) {
            (true, false) => Verdict::Right,
            (true, true) => Verdict::RightButOutdated,
            (false, _) => Verdict::Wrong,
        })
    }

    fn enqueue(&self, work: Work) -> Result<(), ServiceError> {
        self.queue.try_send(work).map_err(|_| {
            metrics::counter!("platform_hashes_shed_total").increment(1);
            ServiceError::new(ErrorCode::Overloaded).retry_after(Duration::from_secs(1))
        })
    }
}

/// A thread's life: takes work until nobody can send any.
fn run(queue: &Mutex<mpsc::Receiver<Work>>, cost: Cost) {
    // Without the right to be nice the threads hash all the same.
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "hashing at the priority of everything else");
    }
    let mut memory: Vec<Block> = cost.blocks();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        work.run(cost, &mut memory);
    }
}

impl Work {
    fn run(self, cost: Cost, memory: &mut Vec<Block>) {
        // Whoever asked may have gone: then there is no use in hashing, nor in answering.
        match self {
            Self::Hash { password, salt, done } if !done.is_closed() => {
                let hash = Phc::hash(cost, &salt, password.expose(), memory).ok();
                let _ = done.send(hash.map(|hash| hash.to_string()));
            }
            Self::Verify { password, against, done } if !done.is_closed() => {
                let _ = done.send(against.matches(password.expose(), memory));
            }
            Self::Hash { .. } | Self::Verify { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hasher(memory_kib: u32) -> Hasher {
        Hasher::start(Hashing { memory_kib, passes: 1, threads: 1, queue: 4 }, Ids::seeded(1)).unwrap()
    }

    #[tokio::test]
    async fn the_right_password_is_told_from_the_wrong_one() {
        let hasher = hasher(64);
        let hash = hasher.hash(Password::typed("correct horse")).await.unwrap();
        let verify = async |text, stored| hasher.verify(Password::typed(text), stored).await.unwrap();
        assert_eq!(verify("correct horse", Some(hash.as_str())).await, Verdict::Right);
        assert_eq!(verify("Correct horse", Some(hash.as_str())).await, Verdict::Wrong);
        assert_eq!(verify("correct horse", None).await, Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated() {
        let hash = hasher(64).hash(Password::typed("correct horse")).await.unwrap();
        let verdict = hasher(128).verify(Password::typed("correct horse"), Some(&hash)).await.unwrap();
        assert_eq!(verdict, Verdict::RightButOutdated);
    }

    #[tokio::test]
    async fn a_full_queue_is_answered_at_once() {
        let hasher = hasher(64 * 1024);
        let burst = (0..50).map(|_| hasher.verify(Password::typed("x"), None));
        let answers = futures::future::join_all(burst).await;
        let shed: Vec<_> = answers.into_iter().filter_map(Result::err).map(|error| error.code()).collect();
        assert!(shed.len() >= 40);
        assert!(shed.iter().all(|code| *code == ErrorCode::Overloaded));
    }
}
