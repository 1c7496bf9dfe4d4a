//! `platform.notify.v1.BroadcastService`. Whether the caller may send is judged before it gets here.

use mesh::RequestContext;
use proto::ServiceError;
use proto::notify::broadcast_service_server::BroadcastService;
use proto::notify::{SendNotificationRequest, SendNotificationResponse};
use tonic::{Request, Response, Status};

use crate::app::App;
use crate::domain::sending::{Sender, Sending};
use crate::flows;
use crate::grpc::convert;

/// The service's end of the contract.
pub(crate) struct Broadcasts(pub(crate) App);

#[tonic::async_trait]
impl BroadcastService for Broadcasts {
    async fn send_notification(
        &self,
        request: Request<SendNotificationRequest>,
    ) -> Result<Response<SendNotificationResponse>, Status> {
        let context = RequestContext::of(&request);
        let caller = context.caller()?;
        let sender = Sender { tenant_id: caller.tenant_id, user_id: caller.user_id };
        let sending = sending(sender, request.into_inner())?;
        let sent = flows::send_notification(&self.0, sending).await?;
        let accepted = i32::try_from(sent.accepted).unwrap_or(i32::MAX);
        Ok(Response::new(SendNotificationResponse { id: sent.event_id.to_string(), accepted }))
    }
}

fn sending(sender: Sender, request: SendNotificationRequest) -> Result<Sending, ServiceError> {
    let user_ids = request.user_ids.iter().map(|user_id| convert::id("userIds", user_id));
    Ok(Sending {
        sender,
        user_ids: user_ids.collect::<Result<_, _>>()?,
        kind: request.r#type,
        title: request.title,
        body: request.body,
        data: convert::data("data", request.data)?,
        key: request.idempotency_key,
    })
}
