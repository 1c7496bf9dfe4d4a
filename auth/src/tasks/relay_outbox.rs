//! Tells notify what happened, an event at least once; notify takes each only once.

use jobs::{Handler, Job, Verdict};
use mesh::Channel;
use proto::notify::event_service_client::EventServiceClient;
use proto::{ErrorCode, ServiceError, notify as pb};

use crate::domain::event::Event;
use crate::grpc::convert;

pub(super) struct RelayOutbox {
    pub(super) notify: EventServiceClient<Channel>,
}

impl Handler for RelayOutbox {
    async fn run(&self, job: &Job) -> Verdict {
        let event = match serde_json::from_value::<Event>(job.payload.clone()) {
            Ok(event) => convert::event(event),
            Err(error) => return Verdict::Dead { reason: format!("the event cannot be read: {error}") },
        };
        match self.notify.clone().publish(pb::PublishRequest { event: Some(event) }).await {
            Ok(_) => Verdict::Done,
            Err(status) => verdict(&ServiceError::from_status(&status)),
        }
    }
}

/// What notify will never take is set aside; everything else will be taken later.
fn verdict(error: &ServiceError) -> Verdict {
    let reason = error.to_string();
    match error.code() {
        ErrorCode::ValidationError => Verdict::Dead { reason },
        _ => Verdict::Retry { reason },
    }
}
