//! Counts an answer once its code is known, which in gRPC is after its last byte.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;
use tonic::{Code, Status};

use super::methods::Method;

/// A call that is being answered; counted as cancelled where nobody waits for its end.
pub(super) struct Call {
    method: Arc<Method>,
    began: Instant,
    code: Option<Code>,
}

impl Call {
    pub(super) fn begin(method: Arc<Method>) -> Self {
        Self { method, began: Instant::now(), code: None }
    }

    /// Follows the body of the answer to its end.
    pub(super) fn follow(mut self, answer: http::Response<tonic::body::Body>) -> http::Response<Metered> {
        // An answer without a body has its code in the head.
        self.code = code(answer.headers());
        answer.map(|body| Metered { body, call: self })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let code = self.code.unwrap_or(Code::Cancelled);
        self.method.record(code, self.began.elapsed());
    }
}

/// The body of an answer.
pub(super) struct Metered {
    body: tonic::body::Body,
    call: Call,
}

impl Body for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(trailers) = frame.trailers_ref()
        {
            self.call.code = code(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn code(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|value| Code::from_bytes(value.as_bytes()))
}
