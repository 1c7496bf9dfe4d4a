//! Who listens: people with a socket each. What is published to them is bounded by what they have read,
//! and of every push it is known how long it was under way.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{self, Instant};

use super::line::Line;
use super::socket::Socket;
use crate::Failure;
use crate::cpu::Reading;
use crate::load::Measured;
use crate::scenarios::{IN_FLIGHT, World};

/// Nothing is under way for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everybody who listens.
pub struct Audience {
    /// The lines to them.
    pub lines: Vec<Arc<Line>>,
    arrivals: Arc<Arrivals>,
    _readers: JoinSet<()>,
}

/// What arrives at all sockets.
struct Arrivals {
    /// For so many pushes more there is room; closed once a reader failed.
    room: Semaphore,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// How long each push was under way.
    took: Vec<Duration>,
    failure: Option<Failure>,
}

impl Audience {
    /// Opens a socket for everybody, some at a time, and signs them in.
    pub async fn gather(world: &World) -> Result<(Self, Measured), Failure> {
        let before = Reading::take()?;
        let opening = (0..IN_FLIGHT).map(|first| async move {
            let mut opened = Vec::new();
            for person in world.people.iter().skip(first).step_by(IN_FLIGHT) {
                let begun = Instant::now();
                let (socket, greeting) = Socket::open(world.platform.edge, person).await?;
                opened.push((socket, greeting, begun.elapsed()));
            }
            Ok::<_, Failure>(opened)
        });
        let opened = try_join_all(opening).await?;
        let spent = Reading::take()?.since(&before);

        let room = Semaphore::new(world.people.len());
        let arrivals = Arc::new(Arrivals { room, seen: Mutex::default() });
        let (mut lines, mut readers, mut took) = (Vec::new(), JoinSet::new(), Vec::new());
        for (socket, greeting, opened_in) in opened.into_iter().flatten() {
            let line = Arc::new(Line::new(greeting)?);
            lines.push(line.clone());
            readers.spawn(arrivals.clone().follow(socket, line));
            took.push(opened_in);
        }
        let audience = Self { lines, arrivals, _readers: readers };
        Ok((audience, Measured::of(IN_FLIGHT, spent, took)))
    }

    /// How many pushes may be under way: as many as there are sockets.
    pub fn room(&self) -> usize {
        self.lines.len()
    }

    /// Waits until there is room for one more, and takes it until it has arrived.
    pub async fn take_room(&self) -> Result<(), Failure> {
        time::timeout(PATIENCE, self.arrivals.room.acquire()).await??.forget();
        Ok(())
    }

    /// Measures what arrives from now on.
    pub async fn measure(&self, measured: Duration) -> Result<Measured, Failure> {
        let before = Reading::take()?;
        self.arrivals.lock().took.clear();
        time::sleep(measured).await;
        let took = std::mem::take(&mut self.arrivals.lock().took);
        let spent = Reading::take()?.since(&before);
        Ok(Measured::of(self.room(), spent, took))
    }

    /// Waits until everything that was published has arrived; fails, saying why, where a socket did.
    pub async fn wait_for_the_last(&self) -> Result<(), Failure> {
        let all = u32::try_from(self.room())?;
        let arrived = time::timeout(PATIENCE, self.arrivals.room.acquire_many(all)).await;
        match self.arrivals.lock().failure.take() {
            Some(failure) => Err(failure),
            None => arrived.map(drop).map_err(|_| "pushes got lost".into()),
        }
    }
}

impl Arrivals {
    /// Reads a socket until it fails.
    async fn follow(self: Arc<Self>, socket: Socket, line: Arc<Line>) {
        let Err(failure) = self.read(socket, &line).await;
        self.lock().failure.get_or_insert(failure);
        self.room.close();
    }

    async fn read(&self, mut socket: Socket, line: &Line) -> Result<Infallible, Failure> {
        loop {
            let took = line.arrived(socket.next().await?)?;
            self.lock().took.push(took);
            self.room.add_permits(1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
