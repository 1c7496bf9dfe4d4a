//! Mails to a relay (RFC 5321; submission by RFC 6409 and RFC 8314). The dialogue is our own, since it
//! must know at which word it broke off, show a mail to no log, trust the roots that the platform
//! trusts, and believe nothing after STARTTLS that was said before it.

mod connection;
mod reply;
mod stop;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use self::connection::Connection;
use self::reply::Reply;
use self::stop::{Reason, Stop};
use super::{Failure, email::Mail};
use crate::config::RelayAddress;

/// How long handing a mail over may take, all in all.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);
/// How long an idle connection is kept; relays close theirs after minutes.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How many idle connections are kept.
const IDLE_CONNECTIONS_MAX: usize = 8;

/// A relay that takes our mails.
pub(crate) struct Relay {
    address: RelayAddress,
    tls: TlsConnector,
    idle: Mutex<Vec<(Instant, Connection)>>,
}

impl Relay {
    /// The relay at `address`, connected to when the first mail leaves.
    pub(crate) fn new(address: RelayAddress, tls: ClientConfig) -> Self {
        Self { address, tls: TlsConnector::from(Arc::new(tls)), idle: Mutex::default() }
    }

    /// Hands a mail over; the relay's words on taking it.
    pub(super) async fn send(&self, mail: &Mail) -> Result<String, Failure> {
        let outcome = self.exchange(mail, Instant::now() + SEND_TIMEOUT).await;
        let reached = !matches!(&outcome, Err(Stop { reason: Reason::Broken(_), .. }));
        metrics::gauge!("platform_mail_relay_reached").set(f64::from(u8::from(reached)));
        Ok(outcome?.to_string())
    }

    /// A connection that died while it was idle is replaced by a fresh one, once.
    async fn exchange(&self, mail: &Mail, deadline: Instant) -> Result<Reply, Stop> {
        if let Some(mut idle) = self.take_idle() {
            match idle.deliver(mail, deadline).await {
                Err(stop) if stop.is_stale_connection() => {
                    tracing::debug!("an idle mail connection had died");
                }
                outcome => return self.conclude(idle, outcome).await,
            }
        }
        let mut fresh = Connection::open(&self.address, &self.tls, deadline).await?;
        let outcome = fresh.deliver(mail, deadline).await;
        self.conclude(fresh, outcome).await
    }

    /// Keeps a connection whose dialogue is in step: after a refusal the relay forgets the mail first.
    async fn conclude(
        &self,
        mut connection: Connection,
        outcome: Result<Reply, Stop>,
    ) -> Result<Reply, Stop> {
        let in_step = match &outcome {
            Ok(_) => true,
            Err(stop) => stop.leaves_connection_usable() && connection.reset().await.is_ok(),
        };
        if in_step {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_CONNECTIONS_MAX {
                idle.push((Instant::now(), connection));
            }
        }
        outcome
    }

    /// The connection that was used last, where it is young enough; the others age and go.
    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(since, _)| since.elapsed() < IDLE_MAX);
        idle.pop().map(|(_, connection)| connection)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("host", &self.address.host).finish_non_exhaustive()
    }
}
