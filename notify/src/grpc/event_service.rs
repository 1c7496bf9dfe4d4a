//! `platform.notify.v1.EventService`.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use proto::ServiceError;
use proto::notify::event_service_server::EventService;
use proto::notify::{self as pb, PublishRequest, PublishResponse};
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::app::App;
use crate::domain::event::{Announcement, Event};
use crate::flows::{self, Taken};
use crate::grpc::convert;

/// The service's end of the contract.
pub(crate) struct Events(pub(crate) App);

#[tonic::async_trait]
impl EventService for Events {
    async fn publish(&self, request: Request<PublishRequest>) -> Result<Response<PublishResponse>, Status> {
        let announcement = announcement(request.into_inner())?;
        let taken = flows::take_event(&self.0, announcement).await;
        let taken = taken.inspect_err(|error| tracing::error!(%error, "an event could not be taken"))?;
        Ok(Response::new(PublishResponse { duplicate: taken == Taken::Before }))
    }
}

fn announcement(request: PublishRequest) -> Result<Announcement, ServiceError> {
    let event = request.event.ok_or_else(|| ServiceError::invalid("event", "is required"))?;
    let user_ids: Result<BTreeSet<Uuid>, ServiceError> =
        event.user_ids.iter().map(|user_id| convert::id("event.userIds", user_id)).collect();
    Ok(Announcement {
        user_ids: user_ids?,
        event: Event {
            id: convert::id("event.id", &event.id)?,
            tenant_id: convert::id("event.tenantId", &event.tenant_id)?,
            occurred_at: occurred_at(&event)?,
            data: convert::data("event.data", event.data)?,
            kind: event.r#type,
            secret_reference: event.secret_reference,
        },
    })
}

fn occurred_at(event: &pb::Event) -> Result<DateTime<Utc>, ServiceError> {
    let time =
        event.occurred_at.and_then(|at| DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
    time.ok_or_else(|| ServiceError::invalid("event.occurredAt", "is no time"))
}

#[cfg(test)]
mod tests {
    use prost_types::value::Kind;

    use super::*;
    use crate::domain::event::DATA_BYTES_MAX;

    fn request(data: prost_types::Struct) -> PublishRequest {
        PublishRequest {
            event: Some(pb::Event {
                id: Uuid::from_u128(1).to_string(),
                tenant_id: Uuid::from_u128(2).to_string(),
                r#type: "user.registered".to_owned(),
                user_ids: vec![Uuid::from_u128(3).to_string(); 2],
                data: Some(data),
                secret_reference: None,
                occurred_at: Some(prost_types::Timestamp { seconds: 1, nanos: 0 }),
            }),
        }
    }

    fn text(text: String) -> prost_types::Struct {
        let value = prost_types::Value { kind: Some(Kind::StringValue(text)) };
        prost_types::Struct { fields: [("ip".to_owned(), value)].into() }
    }

    #[test]
    fn an_event_names_each_user_once() {
        let taken = announcement(request(text("127.0.0.1".to_owned()))).unwrap();
        assert_eq!(taken.user_ids, BTreeSet::from([Uuid::from_u128(3)]));
        assert_eq!(taken.event.data["ip"], "127.0.0.1");
    }

    #[test]
    fn an_event_that_says_too_much_is_refused_with_the_fields_name() {
        let refused = announcement(request(text("x".repeat(DATA_BYTES_MAX)))).unwrap_err();
        assert_eq!(refused.violations()[0].field, "event.data");
    }
}
