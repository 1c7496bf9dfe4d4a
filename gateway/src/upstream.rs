//! Calls into the mesh: raw bytes there, raw bytes back, a deadline on each. What the bytes mean is
//! `transcode`'s affair; connections are `mesh`'s.

mod codec;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::uri::PathAndQuery;
use mesh::Channel;
use proto::{ErrorCode, ServiceError};
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use codec::RawCodec;

/// The largest answer that is taken.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The services behind the edge, by name.
#[derive(Clone, Default)]
pub struct Upstreams(Vec<(Arc<str>, Channel)>);

/// One call.
pub struct Call {
    /// The method.
    pub path: PathAndQuery,
    /// The encoded request.
    pub message: Bytes,
    /// What goes with it.
    pub metadata: HeaderMap,
    /// How long the answer may take.
    pub deadline: Duration,
}

impl Upstreams {
    /// Adds a service.
    pub fn add(&mut self, channel: Channel) {
        self.0.push((channel.name().into(), channel));
    }

    /// Calls a service and takes its answer, still encoded. Dropping the future cancels the call.
    pub async fn call(&self, name: &str, call: Call) -> Result<Bytes, ServiceError> {
        let channel =
            self.0.iter().find(|(known, _)| known.as_ref() == name).map(|(_, channel)| channel.clone());
        let channel =
            channel.ok_or_else(|| ServiceError::internal(format!("no upstream is called {name}")))?;
        let mut request = tonic::Request::new(call.message);
        *request.metadata_mut() = MetadataMap::from_headers(call.metadata);
        request.set_timeout(call.deadline);
        let mut client = tonic::client::Grpc::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
        let answer = client.unary(request, call.path, RawCodec).await;
        answer.map(tonic::Response::into_inner).map_err(|status| failure(&status))
    }
}

fn failure(status: &Status) -> ServiceError {
    // Our own decoder says so of an answer over the limit; services say it with a code of the contract.
    if status.code() == Code::OutOfRange && status.details().is_empty() {
        return ServiceError::new(ErrorCode::UpstreamFailure).source(status.message());
    }
    let error = ServiceError::from_status(status);
    match (error.code(), error.retry_after_hint()) {
        (ErrorCode::ServiceUnavailable, None) => error.retry_after(Duration::from_secs(1)),
        _ => error,
    }
}
