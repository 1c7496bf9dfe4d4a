//! Reads all of a body, within its bounds, from a sender that gets on with it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use proto::{ErrorCode, ServiceError};
use tokio::time::{Instant, timeout_at};

/// How many bytes buy their sender another second, on top of its grace.
const PACE: usize = 8 * 1024;

/// How large a body may be, and how long its sender may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) bytes: usize,
    pub(super) time: Duration,
    /// How far the sender may fall behind its pace.
    pub(super) grace: Duration,
}

impl Bounds {
    /// How long a sender has of whom so many bytes came: not all of the time for next to nothing.
    fn time_for(&self, came: usize) -> Duration {
        let earned = Duration::from_millis((came as u64).saturating_mul(1000) / PACE as u64);
        self.time.min(self.grace.saturating_add(earned))
    }
}

/// The bytes of a body, and how long they took to come.
pub(super) async fn read(
    head: &Parts,
    body: Incoming,
    bounds: Bounds,
) -> Result<(Bytes, Duration), ServiceError> {
    // Nothing is unpacked here: a small body could become a large one.
    let coding = head.headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Err(ErrorCode::UnsupportedMediaType.into());
    }
    let began = Instant::now();
    let (mut body, mut whole) = (Limited::new(body, bounds.bytes), BytesMut::new());
    loop {
        match timeout_at(began + bounds.time_for(whole.len()), body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    whole.extend_from_slice(data);
                }
            }
            Ok(None) => return Ok((whole.freeze(), began.elapsed())),
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => {
                return Err(ErrorCode::PayloadTooLarge.into());
            }
            Ok(Some(Err(error))) => return Err(ServiceError::new(ErrorCode::MalformedRequest).source(error)),
            Err(_) => return Err(ErrorCode::RequestTimeout.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_earned_by_sending_and_has_its_end() {
        let bounds = Bounds { bytes: 0, time: Duration::from_secs(10), grace: Duration::from_secs(3) };
        for (came, expected) in [(0, 3000), (100, 3012), (16 * 1024, 5000), (1024 * 1024, 10_000)] {
            assert_eq!(bounds.time_for(came).as_millis(), expected, "{came}");
        }
    }
}
