//! Where an upstream is and which of its addresses takes the next call. Names are resolved again every
//! ten seconds, so that new replicas are found and gone ones forgotten.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use hyper::rt::Executor as _;
use hyper_util::rt::TokioExecutor;
use proto::ServiceError;
use tokio::sync::Mutex;
use tokio::time::{self, Instant};

use super::health::Admission;
use super::member::Member;

const RESOLVE_INTERVAL: Duration = Duration::from_secs(10);
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(2);
/// More than this of one name are not looked at.
const MEMBERS_MAX: usize = 64;

#[derive(Clone)]
pub(super) struct Addresses(Arc<Shared>);

struct Shared {
    names: Vec<String>,
    members: ArcSwap<Members>,
    resolving: Mutex<()>,
    /// Counts picks, so that they go round.
    turn: AtomicUsize,
}

#[derive(Default)]
struct Members {
    all: Vec<Arc<Member>>,
    /// When the names are to be resolved again; never where they are addresses already.
    stale_at: Option<Instant>,
}

impl Addresses {
    pub(super) fn new(names: Vec<String>) -> Self {
        let literal: Option<Vec<SocketAddr>> = names.iter().map(|name| name.parse().ok()).collect();
        let members = match literal {
            Some(found) => {
                Members { all: found.into_iter().map(Member::new).map(Arc::new).collect(), stale_at: None }
            }
            None => Members { all: Vec::new(), stale_at: Some(Instant::now()) },
        };
        Self(Arc::new(Shared {
            names,
            members: ArcSwap::from_pointee(members),
            resolving: Mutex::new(()),
            turn: AtomicUsize::new(0),
        }))
    }

    /// The address for the next call: one whose probe is due, else the less busy of two. `avoid` is only
    /// taken where there is no other.
    pub(super) async fn pick(&self, avoid: Option<&Arc<Member>>) -> Result<Arc<Member>, ServiceError> {
        self.refresh().await;
        let members = self.0.members.load();
        let other = |member: &&Arc<Member>| avoid.is_none_or(|avoid| !Arc::ptr_eq(avoid, member));
        self.choose(members.all.iter().filter(other))
            .or_else(|| self.choose(members.all.iter()))
            .cloned()
            .ok_or_else(|| away(&members.all))
    }

    fn choose<'a>(&self, members: impl Iterator<Item = &'a Arc<Member>> + Clone) -> Option<&'a Arc<Member>> {
        let due = |member: &&Arc<Member>| {
            member.health.admission() == Admission::Probe && member.health.take_probe()
        };
        if let Some(probed) = members.clone().find(due) {
            return Some(probed);
        }
        let open = members.filter(|member| member.health.admission() == Admission::Open);
        let count = open.clone().count();
        // Two that go round stand for two drawn at random, and need no chance.
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let one = open.clone().nth(turn.checked_rem(count)?)?;
        let other = open.clone().nth((turn + 1 + (turn / count) % count.max(2).saturating_sub(1)) % count)?;
        Some(if other.load() < one.load() { other } else { one })
    }

    /// The first time the call waits for the addresses; later they are looked up beside it.
    async fn refresh(&self) {
        let members = self.0.members.load();
        if members.stale_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        if members.all.is_empty() {
            self.resolve().await;
        } else if self.0.resolving.try_lock().is_ok() {
            let addresses = self.clone();
            // Bounded by its own time-outs, and of use to every later call.
            TokioExecutor::new().execute(async move { addresses.resolve().await });
        }
    }

    async fn resolve(&self) {
        let _single = self.0.resolving.lock().await;
        let known = self.0.members.load_full();
        if known.stale_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        let mut found: Vec<SocketAddr> = Vec::new();
        for name in &self.0.names {
            match time::timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(name)).await {
                Ok(Ok(addresses)) => found.extend(addresses),
                Ok(Err(error)) => tracing::warn!(name, %error, "an upstream's name could not be resolved"),
                Err(_) => tracing::warn!(name, "resolving an upstream's name took too long"),
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(MEMBERS_MAX);
        self.0.members.store(Arc::new(known.become_these(&found)));
    }
}

impl Members {
    /// Keeps the connections of those still there; after a fruitless look-up, of all.
    fn become_these(&self, found: &[SocketAddr]) -> Members {
        let known = |address: &SocketAddr| self.all.iter().find(|member| member.address == *address).cloned();
        let all: Vec<_> = found
            .iter()
            .map(|address| known(address).unwrap_or_else(|| Arc::new(Member::new(*address))))
            .collect();
        // With nothing known, the next call may look again at once.
        let wait = if all.is_empty() && self.all.is_empty() { Duration::ZERO } else { RESOLVE_INTERVAL };
        let all = if all.is_empty() { self.all.clone() } else { all };
        Members { all, stale_at: Some(Instant::now() + wait) }
    }
}

fn away(members: &[Arc<Member>]) -> ServiceError {
    let soonest = members.iter().filter_map(|member| match member.health.admission() {
        Admission::Ejected(left) => Some(left),
        Admission::Open | Admission::Probe => None,
    });
    let error = ServiceError::unavailable("no address of the upstream answers");
    match soonest.min() {
        Some(left) => error.retry_after(left.max(Duration::from_secs(1))),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Addresses {
        Addresses::new(["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(str::to_owned).to_vec())
    }

    #[tokio::test]
    async fn idle_addresses_take_turns() {
        let addresses = three();
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..300 {
            *seen.entry(addresses.pick(None).await.unwrap().address).or_insert(0) += 1;
        }
        assert!(seen.len() == 3 && seen.values().all(|&count| count == 100), "{seen:?}");
    }

    #[tokio::test]
    async fn the_less_busy_of_two_is_picked() {
        let addresses = three();
        let busy = addresses.pick(None).await.unwrap();
        let _calls: Vec<_> = (0..5).map(|_| Member::begin(&busy)).collect();
        for _ in 0..30 {
            assert_ne!(addresses.pick(None).await.unwrap().address, busy.address);
        }
    }

    #[tokio::test]
    async fn an_address_to_avoid_is_taken_only_where_it_is_the_only_one() {
        let addresses = three();
        let first = addresses.pick(None).await.unwrap();
        for _ in 0..30 {
            assert_ne!(addresses.pick(Some(&first)).await.unwrap().address, first.address);
        }
        let single = Addresses::new(vec!["10.0.0.1:1".to_owned()]);
        let only = single.pick(None).await.unwrap();
        assert_eq!(single.pick(Some(&only)).await.unwrap().address, only.address);
    }

    #[tokio::test(start_paused = true)]
    async fn where_all_are_ejected_the_refusal_says_when_to_come_again() {
        let single = Addresses::new(vec!["10.0.0.1:1".to_owned()]);
        let member = single.pick(None).await.unwrap();
        for _ in 0..3 {
            member.health.failed();
        }
        let refusal = single.pick(None).await.err().unwrap();
        assert_eq!(refusal.code(), proto::ErrorCode::ServiceUnavailable);
        assert_eq!(refusal.retry_after_hint(), Some(Duration::from_secs(1)));
        time::advance(Duration::from_secs(1)).await;
        assert!(single.pick(None).await.is_ok());
        assert!(single.pick(None).await.is_err(), "one probe at a time");
    }

    #[tokio::test]
    async fn a_name_stands_for_its_addresses() {
        let addresses = Addresses::new(vec!["localhost:7101".to_owned()]);
        assert!(addresses.pick(None).await.unwrap().address.ip().is_loopback());
    }
}
