//! One person who has sockets here: hears their pushes, in order and each once, and tells them to every
//! socket.
//!
//! The order is that of `seq`: the next one is told, an older one was told already, and where one is
//! missing the database is asked for all that came after the last. A socket that joins is subscribed
//! first and reads the database then, so that nothing falls in between; what reaches it twice is known
//! by its `seq`.

mod greeting;
mod record;
mod told;

use std::sync::Arc;
use std::time::Duration;

use chassis::fanout::{Received, Subscription};
use proto::notify::Notification;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use uuid::Uuid;

use super::close::Close;
use super::hub::{Command, Hub};
use super::socket::Socket;

/// How soon a broker that did not answer is asked again.
const SUBSCRIBE_RETRY: Duration = Duration::from_secs(10);

/// A person.
pub(super) struct Person {
    user_id: Uuid,
    hub: Arc<Hub>,
    seats: Vec<Seat>,
    subscription: Option<Subscription>,
    /// The `seq` of the newest notification that was told.
    seq: u32,
    /// How many are unread, and the revision at which they were.
    unread_count: u32,
    revision: u32,
    /// When the database is asked for what is missing, where something is.
    catch_up_at: Option<Instant>,
    /// Until when a broker that does not answer is left alone.
    subscribe_at: Instant,
}

/// A socket, and the `seq` up to which it was given everything when it joined.
struct Seat {
    socket: Arc<Socket>,
    from: u32,
}

impl Person {
    pub(super) fn new(user_id: Uuid, hub: Arc<Hub>) -> Self {
        Self {
            user_id,
            hub,
            seats: Vec::new(),
            subscription: None,
            seq: 0,
            unread_count: 0,
            revision: 0,
            catch_up_at: None,
            subscribe_at: Instant::now(),
        }
    }

    /// Lives for as long as there are sockets.
    pub(super) async fn live(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                () = due(self.catch_up_at) => self.catch_up().await,
                received = next(&mut self.subscription) => self.hear(received),
            }
            while self.seats.is_empty() {
                let Some(command) = self.hub.retire(self.user_id, &mut commands) else { return };
                self.obey(command).await;
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Join(join) => {
                let answer = self.join(&join).await;
                // A socket that went away meanwhile says so next.
                let _ = join.answer.send(answer);
            }
            Command::Renew(join) => {
                join.socket.outbox.begin(vec![self.greeting(&join)]);
                let _ = join.answer.send(Ok(()));
            }
            Command::Leave(number) => self.seats.retain(|seat| seat.socket.number != number),
            Command::Compare(stands) => self.compare(stands).await,
        }
    }

    /// Subscribes, unless that was done. Without the fan-out the person lives on the database alone,
    /// which is compared every now and then.
    async fn subscribe(&mut self) {
        if self.subscription.is_some() || Instant::now() < self.subscribe_at {
            return;
        }
        let subject = proto::fanout::user_subject(self.user_id);
        match Box::pin(self.hub.fanout.subscribe(&subject)).await {
            Ok(subscription) => {
                self.subscription = Some(subscription);
                // Whoever joined before heard nothing until now.
                self.lack();
            }
            Err(error) => {
                tracing::warn!(%error, "a person's pushes cannot be subscribed to");
                self.subscribe_at = Instant::now() + self.hub.ids.jitter(SUBSCRIBE_RETRY, 20);
            }
        }
    }

    /// Tells a notification to the sockets that were not given it when they joined.
    fn tell_notification(&mut self, notification: &Notification) {
        self.seq = notification.seq;
        let frame = self.hub.frames.notification(notification, self.unread_count, self.revision);
        for seat in self.seats.iter().filter(|seat| seat.from < notification.seq) {
            self.push(&seat.socket, &frame);
        }
    }

    fn tell(&self, frame: &Utf8Bytes) {
        for seat in &self.seats {
            self.push(&seat.socket, frame);
        }
    }

    fn push(&self, socket: &Socket, frame: &Utf8Bytes) {
        self.hub.pushes.increment(1);
        if socket.outbox.offer(frame.clone()).is_err() {
            metrics::counter!("platform_edge_socket_overflows_total").increment(1);
            socket.outbox.start_over(self.hub.frames.reset(self.seq));
        }
    }
}

/// Sockets whose person is gone, as after a defect, would wait for ever.
impl Drop for Person {
    fn drop(&mut self) {
        for seat in &self.seats {
            seat.socket.outbox.close(Close::Draining);
        }
    }
}

async fn next(subscription: &mut Option<Subscription>) -> Option<Received> {
    match subscription {
        Some(subscription) => subscription.next().await,
        None => std::future::pending().await,
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
