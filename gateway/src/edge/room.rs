//! Room for what is under way: so much in all, and of that a share for each client, so that no single one
//! takes it all.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use proto::{ErrorCode, ServiceError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::accept::addresses::{Addresses, Seat};

/// When whoever found no room may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// So much room, and so much of it for one client.
#[derive(Debug)]
pub(crate) struct Room {
    all: Arc<Semaphore>,
    shares: Addresses,
}

/// A place in a room; it is given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    _all: OwnedSemaphorePermit,
    _share: Seat,
}

impl Room {
    pub(crate) fn new(max: usize, per_client: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(max)), shares: Addresses::new(per_client) }
    }

    /// A place at once: `RATE_LIMITED` where the client has its share, `OVERLOADED` where all are taken.
    pub(crate) fn enter(&self, client: IpAddr) -> Result<Place, ServiceError> {
        let refusal = |code: ErrorCode| ServiceError::new(code).retry_after(RETRY_AFTER);
        let share = self.shares.enter(client).ok_or_else(|| refusal(ErrorCode::RateLimited))?;
        let all = self.all.clone().try_acquire_owned().map_err(|_| refusal(ErrorCode::Overloaded))?;
        Ok(Place { _all: all, _share: share })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_gets_its_share_and_leaves_the_rest_to_others() {
        let (room, one) = (Room::new(3, 2), IpAddr::from([192, 0, 2, 1]));
        let other = |last| IpAddr::from([192, 0, 2, last]);
        let code = |place: Result<Place, ServiceError>| place.unwrap_err().code();
        let (first, _second) = (room.enter(one).unwrap(), room.enter(one).unwrap());
        assert_eq!(code(room.enter(one)), ErrorCode::RateLimited);
        let _third = room.enter(other(2)).unwrap();
        assert_eq!(code(room.enter(other(3))), ErrorCode::Overloaded);
        drop(first);
        room.enter(other(3)).unwrap();
    }
}
