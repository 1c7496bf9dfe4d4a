//! The state machine's world: the database, those who change it, those who read it, and what may be
//! published meanwhile.

use std::time::Duration;

use chassis::{Clock, Ids, Kv};
use chrono::{DateTime, Utc};
use proto::kv::{self, AccessRecord, AccessState as State, VersionRecord};
use uuid::Uuid;

use super::super::{AccessState, HOLD_TTL, Place, TTL};
use super::{Reach, Step};
use crate::domain::session::{AuthMethod, Session, Status};
use crate::store::Ended;

const USER: Uuid = Uuid::from_u128(1);
pub(super) const SESSIONS: usize = 2;
/// Nobody works longer than a call may take, which is less than a fence lasts.
const CALL: Duration = Duration::from_secs(29);
/// How long a lie may live where the fence was lost: a place, filled at its end, and its record.
const LIE: Duration = HOLD_TTL.saturating_add(TTL);

/// What the database says.
#[derive(Clone)]
struct Database {
    sessions: Vec<Session>,
    version: u64,
}

/// A change under way.
struct Change {
    number: usize,
    ends: Option<usize>,
    begun_at: DateTime<Utc>,
    fence_stands: bool,
    is_committed: bool,
}

/// A reader with the place it holds, and what it read since.
struct Reader {
    of: usize,
    place: Option<Place>,
    read: Option<Database>,
}

/// A durable job, written with a commit, and what it read in its run.
struct Job {
    of: usize,
    ends: Option<usize>,
    read: Option<Database>,
}

pub(super) struct World {
    clock: Clock,
    ids: Ids,
    kv: Kv,
    access: AccessState,
    database: Database,
    changes: Vec<Change>,
    readers: Vec<Reader>,
    jobs: Vec<Job>,
    /// Changes that were committed without a fence, until they are published.
    unfenced: Vec<(usize, DateTime<Utc>)>,
    begun: usize,
}

impl World {
    pub(super) fn new() -> World {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let kv = Kv::memory(clock.clone());
        World {
            ids: Ids::seeded(1),
            access: AccessState::new(kv.clone()),
            database: Database { sessions: (0..SESSIONS).map(session).collect(), version: 1 },
            changes: Vec::new(),
            readers: Vec::new(),
            jobs: Vec::new(),
            unfenced: Vec::new(),
            begun: 0,
            clock,
            kv,
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        match step {
            Step::Begin { ends, store } => self.begin(ends, store).await,
            Step::Commit(which) => self.commit(which),
            Step::Publish(which, store) => self.publish(which, store).await,
            Step::Crash(which) => drop(take(&mut self.changes, which, |change| change.is_committed)),
            Step::Hold(of) => self.hold(of).await,
            Step::Look(which) => {
                let database = self.database.clone();
                if let Some(reader) = find(&mut self.readers, which, |reader| reader.read.is_none()) {
                    reader.read = Some(database);
                }
            }
            Step::Fill(which) => self.fill(which).await,
            Step::RunJob(which) => {
                let database = self.database.clone();
                if let Some(job) = find(&mut self.jobs, which, |job| job.read.is_none()) {
                    job.read = Some(database);
                }
            }
            Step::SettleJob(which) => self.settle_job(which).await,
            Step::Empty => self.empty().await,
            Step::Wait(seconds) => {
                self.clock.advance(Duration::from_secs(seconds));
                let now = self.clock.now();
                self.changes.retain(|change| change.is_committed || now <= change.begun_at + CALL);
            }
        }
    }

    async fn begin(&mut self, ends: Option<usize>, store: Reach) {
        if store == Reach::Near {
            self.fence(&self.database.clone(), ends).await;
        }
        let begun_at = self.clock.now();
        let fence_stands = store == Reach::Near;
        self.changes.push(Change { number: self.begun, ends, begun_at, fence_stands, is_committed: false });
        self.begun += 1;
    }

    async fn fence(&self, read: &Database, ends: Option<usize>) {
        if let Some(index) = ends {
            self.access.fence_sessions(&read.sessions[index..=index]).await;
        } else {
            self.access.fence_user_version(USER, read.version).await;
            self.access.fence_sessions(&read.sessions).await;
        }
    }

    fn commit(&mut self, which: usize) {
        let now = self.clock.now();
        let Some(change) = find(&mut self.changes, which, |change| !change.is_committed) else { return };
        change.is_committed = true;
        if !change.fence_stands {
            self.unfenced.push((change.number, now));
        }
        self.jobs.push(Job { of: change.number, ends: change.ends, read: None });
        let chosen = change.ends.map_or(0..SESSIONS, |index| index..index + 1);
        let live = |session: &&mut Session| session.status == Status::Active;
        for session in self.database.sessions[chosen].iter_mut().filter(live) {
            session.revision += 1;
            if change.ends.is_some() {
                session.status = Status::Revoked;
            }
        }
        if change.ends.is_none() {
            self.database.version += 1;
        }
    }

    async fn publish(&mut self, which: usize, store: Reach) {
        let Some(change) = take(&mut self.changes, which, |change| change.is_committed) else { return };
        if store == Reach::Near {
            let read = self.database.clone();
            self.publish_what(&read, change.ends).await;
            self.unfenced.retain(|(number, _)| *number != change.number);
        }
    }

    async fn settle_job(&mut self, which: usize) {
        let Some(job) = take(&mut self.jobs, which, |job| job.read.is_some()) else { return };
        self.publish_what(&job.read.unwrap(), job.ends).await;
        self.unfenced.retain(|(number, _)| *number != job.of);
    }

    /// What a flow does after its commit, and the job again.
    async fn publish_what(&self, read: &Database, ends: Option<usize>) {
        if ends.is_none() {
            self.access.fence_user_version(USER, read.version).await;
        }
        for (index, session) in read.sessions.iter().enumerate() {
            match session.status {
                _ if ends.is_some_and(|ends| ends != index) => {}
                Status::Active => self.access.fence_sessions(std::slice::from_ref(session)).await,
                _ => self.access.publish_ended(&[Ended { id: session.id, revision: session.revision }]).await,
            }
        }
    }

    async fn hold(&mut self, of: usize) {
        let nonce = self.ids.uuid(self.clock.now());
        let place = match self.database.sessions.get(of) {
            Some(session) => self.access.hold_session(session.id, nonce).await,
            None => self.access.hold_user_version(USER, nonce).await,
        };
        self.readers.push(Reader { of, place, read: None });
    }

    async fn fill(&mut self, which: usize) {
        let Some(reader) = take(&mut self.readers, which, |reader| reader.read.is_some()) else { return };
        let read = reader.read.unwrap();
        match read.sessions.get(reader.of) {
            Some(session) if session.status == Status::Active => {
                self.access.fill_session(reader.place, session, &["USER".to_owned()]).await;
            }
            Some(session) => self.access.fill_ended(reader.place, session.revision).await,
            None => self.access.fill_version(reader.place, read.version).await,
        }
    }

    async fn empty(&mut self) {
        for session in &self.database.sessions {
            self.kv.delete(&kv::access_key(session.id)).await.unwrap();
        }
        self.kv.delete(&kv::user_version_key(USER)).await.unwrap();
        for change in self.changes.iter_mut().filter(|change| !change.is_committed) {
            change.fence_stands = false;
        }
    }

    /// No record says more than the database, but where a fence was lost, and there not for long.
    pub(super) async fn judge(&self) {
        let now = self.clock.now();
        if self.unfenced.iter().any(|(_, committed_at)| now < *committed_at + LIE) {
            return;
        }
        for session in &self.database.sessions {
            let Some(text) = self.kv.get(&kv::access_key(session.id)).await.unwrap() else { continue };
            let record = AccessRecord::parse(&text);
            if let State::Active { .. } = record.state {
                assert_eq!(session.status, Status::Active, "published as going on after its end: {text}");
                assert_eq!(record.revision, session.revision, "published as it was before a change");
            }
        }
        let version = self.kv.get(&kv::user_version_key(USER)).await.unwrap();
        if let Some(VersionRecord::Known(version)) = version.as_deref().map(VersionRecord::parse) {
            assert_eq!(version, self.database.version, "a version that is no longer in force");
        }
    }

    /// When all is quiet again, what a reader fills is what the database says.
    pub(super) async fn settle(&mut self) {
        self.clock.advance(CALL + LIE);
        self.changes.clear();
        self.readers.clear();
        for of in 0..=SESSIONS {
            self.hold(of).await;
            self.take(Step::Look(0)).await;
            self.fill(0).await;
        }
        self.unfenced.clear();
        self.judge().await;
        for session in &self.database.sessions {
            let text = self.kv.get(&kv::access_key(session.id)).await.unwrap().unwrap();
            let goes_on = matches!(AccessRecord::parse(&text).state, State::Active { .. });
            assert_eq!(goes_on, session.status == Status::Active);
        }
    }
}

/// The one of those that qualify, counted round.
fn position<T>(items: &[T], which: usize, qualifies: impl Fn(&T) -> bool) -> Option<usize> {
    let fit: Vec<usize> = (0..items.len()).filter(|index| qualifies(&items[*index])).collect();
    fit.get(which % fit.len().max(1)).copied()
}

fn find<T>(items: &mut [T], which: usize, qualifies: impl Fn(&T) -> bool) -> Option<&mut T> {
    position(items, which, qualifies).map(|index| &mut items[index])
}

fn take<T>(items: &mut Vec<T>, which: usize, qualifies: impl Fn(&T) -> bool) -> Option<T> {
    position(items, which, qualifies).map(|index| items.remove(index))
}

fn session(index: usize) -> Session {
    Session {
        id: Uuid::from_u128(100 + index as u128),
        tenant_id: Uuid::nil(),
        user_id: USER,
        status: Status::Active,
        auth_method: AuthMethod::Local,
        ip_address: None,
        user_agent: None,
        device_type: "unknown".to_owned(),
        location: None,
        login_context: None,
        revision: 1,
        created_at: DateTime::UNIX_EPOCH,
        last_used_at: DateTime::UNIX_EPOCH,
        expires_at: DateTime::<Utc>::MAX_UTC,
    }
}
