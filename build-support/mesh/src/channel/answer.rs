//! The body of an answer: bounded by the call's deadline, and the call's end for the load count.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use proto::{ErrorCode, ServiceError};
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;

use super::member::Flight;

pub(super) struct Answer {
    body: Incoming,
    deadline: Instant,
    /// Made when the body first has to be waited for, which for small answers is never.
    timer: Option<Pin<Box<Sleep>>>,
    _flight: Flight,
}

impl Answer {
    pub(super) fn new(body: Incoming, deadline: Instant, flight: Flight) -> Self {
        Self { body, deadline, timer: None, _flight: flight }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| broke_off(&error))));
        }
        let deadline = this.deadline;
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        timer.as_mut().poll(context).map(|()| Some(Err(ServiceError::new(ErrorCode::UpstreamTimeout).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn broke_off(error: &hyper::Error) -> Status {
    tracing::warn!(%error, "an upstream's answer broke off");
    ServiceError::new(ErrorCode::UpstreamFailure).into()
}
