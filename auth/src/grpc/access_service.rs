//! `AccessService`.

use proto::auth as pb;
use proto::auth::access_service_server::AccessService;

use super::{Answer, Request, Rpc, answer, convert};
use crate::flows;

#[tonic::async_trait]
impl AccessService for Rpc {
    async fn authenticate(
        &self,
        request: Request<pb::AuthenticateRequest>,
    ) -> Answer<pb::AuthenticateResponse> {
        let who = flows::authenticate(&self.0, &request.into_inner().access_token).await;
        answer(who.map(|who| pb::AuthenticateResponse {
            user_id: who.user.id.to_string(),
            tenant_id: who.tenant.id.to_string(),
            tenant_slug: who.tenant.slug,
            session_id: who.session_id.to_string(),
            roles: who.rights.effective,
            permissions: who.rights.permissions,
            permission_version: who.rights.version,
            passport: who.passport,
            passport_expires_at: Some(convert::timestamp(who.passport_expires_at)),
        }))
    }
}
