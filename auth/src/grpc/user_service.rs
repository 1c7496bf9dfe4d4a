//! `UserService`.

use mesh::RequestContext;
use proto::auth as pb;
use proto::auth::user_service_server::UserService;
use proto::{ErrorCode, ServiceError};

use super::{Answer, Request, Rpc, answer, convert};
use crate::flows;

#[tonic::async_trait]
impl UserService for Rpc {
    async fn set_user_roles(
        &self,
        request: Request<pb::SetUserRolesRequest>,
    ) -> Answer<pb::SetUserRolesResponse> {
        let context = RequestContext::of(&request);
        let pb::SetUserRolesRequest { user_id, roles } = request.into_inner();
        let me = async {
            let user_id = user_id.parse().map_err(|_| ServiceError::new(ErrorCode::NotFound))?;
            flows::set_user_roles(&self.0, context.caller()?, user_id, &roles, &convert::origin(&context))
                .await
        };
        answer(me.await.map(|me| pb::SetUserRolesResponse { user: Some(convert::me(me)) }))
    }
}
