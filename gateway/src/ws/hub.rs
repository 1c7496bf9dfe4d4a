//! Finds the person a socket belongs to. Whoever has a socket here is one task, a [`Person`]; it begins
//! with the first socket and ends with the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chassis::fanout::Fanout;
use chassis::{Ids, Lifecycle};
use metrics::Counter;
use prost_types::Timestamp;
use proto::ServiceError;
use tokio::sync::{mpsc, oneshot};
use tracing::Span;
use uuid::Uuid;

use super::asks::Id;
use super::frames::Frames;
use super::inbox::Inbox;
use super::person::Person;
use super::socket::Socket;

/// How long a socket waits to be taken in: the fan-out's answer, the inbox's, and others before it.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// The people who have sockets here.
pub(super) struct Hub {
    pub(super) fanout: Fanout,
    pub(super) inbox: Inbox,
    pub(super) frames: Frames,
    pub(super) ids: Ids,
    /// How many sockets one person may have here.
    pub(super) sockets_max: usize,
    /// Frames pushed to sockets.
    pub(super) pushes: Counter,
    pub(super) lifecycle: Lifecycle,
    /// The span of the gateway, in which people live.
    pub(super) span: Span,
    /// The queues are as long as there are sockets, which are bounded: each asks one thing at a time.
    pub(super) people: Mutex<HashMap<Uuid, mpsc::UnboundedSender<Command>>>,
}

/// What a person is asked.
pub(super) enum Command {
    /// Takes a socket in.
    Join(Box<Join>),
    /// Greets a socket that signed in again.
    Renew(Box<Join>),
    /// Forgets a socket.
    Leave(u64),
    /// Compares with where the inbox stands in the database.
    Compare(Stands),
}

/// Where an inbox stands in the database.
#[derive(Clone, Copy, Default)]
pub(super) struct Stands {
    pub(super) seq: u32,
    pub(super) revision: u32,
}

/// A socket that is to be greeted.
pub(super) struct Join {
    pub(super) socket: Arc<Socket>,
    /// What `AUTH` is called by its client.
    pub(super) id: Option<Id>,
    /// The last `seq` that was seen.
    pub(super) since: Option<u32>,
    /// When the token expires.
    pub(super) expires_at: Timestamp,
    pub(super) answer: oneshot::Sender<Result<(), Refusal>>,
}

/// Why a socket is not taken in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The person has too many.
    TooMany,
    /// The inbox cannot be read.
    Failed(ServiceError),
}

impl Hub {
    /// Asks a person, who begins to live where there was none, and waits until a socket is greeted.
    pub(super) async fn greet(
        self: &Arc<Self>,
        user_id: Uuid,
        command: impl FnOnce(oneshot::Sender<Result<(), Refusal>>) -> Command,
    ) -> Result<(), Refusal> {
        let (answer, answered) = oneshot::channel();
        self.ask(user_id, command(answer));
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(Refusal::Failed(ServiceError::internal("a person ended before they answered"))),
            Err(_) => Err(Refusal::Failed(ServiceError::unavailable("the inbox was not read in time"))),
        }
    }

    /// Tells a person something, where there is one.
    pub(super) fn tell(&self, user_id: Uuid, command: Command) {
        if let Some(person) = self.people().get(&user_id) {
            // One who ends at this moment has no sockets.
            let _ = person.send(command);
        }
    }

    /// The people there are.
    pub(super) fn user_ids(&self) -> Vec<Uuid> {
        self.people().keys().copied().collect()
    }

    fn ask(self: &Arc<Self>, user_id: Uuid, command: Command) {
        let mut people = self.people();
        let unheard = match people.get(&user_id) {
            Some(person) => match person.send(command) {
                Ok(()) => return,
                // The task is gone without having retired: it panicked.
                Err(mpsc::error::SendError(command)) => command,
            },
            None => command,
        };
        let (person, commands) = mpsc::unbounded_channel();
        // The other end is alive: it is in this scope.
        let _ = person.send(unheard);
        people.insert(user_id, person);
        drop(people);
        let _in_gateway = self.span.enter();
        let life = Person::new(user_id, self.clone()).live(commands);
        self.lifecycle.spawn_isolated("person", life);
    }

    /// Forgets a person without sockets, unless something was asked meanwhile: commands are sent and
    /// people forgotten under one lock, so that none is sent to nobody.
    pub(super) fn retire(
        &self,
        user_id: Uuid,
        commands: &mut mpsc::UnboundedReceiver<Command>,
    ) -> Option<Command> {
        let mut people = self.people();
        let asked = commands.try_recv().ok();
        if asked.is_none() {
            people.remove(&user_id);
        }
        asked
    }

    fn people(&self) -> MutexGuard<'_, HashMap<Uuid, mpsc::UnboundedSender<Command>>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
