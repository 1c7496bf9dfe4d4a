//! `DirectoryService`.

use proto::auth as pb;
use proto::auth::directory_service_server::DirectoryService;

use super::{Answer, Request, Rpc, answer, convert};
use crate::domain::user::User;
use crate::flows;

#[tonic::async_trait]
impl DirectoryService for Rpc {
    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Answer<pb::BatchGetContactsResponse> {
        let ids: Vec<_> = request.into_inner().user_ids.iter().filter_map(|id| id.parse().ok()).collect();
        let users = flows::get_contacts(&self.0, &ids).await;
        answer(
            users.map(|users| pb::BatchGetContactsResponse {
                contacts: users.into_iter().map(contact).collect(),
            }),
        )
    }

    async fn reveal_secret(
        &self,
        request: Request<pb::RevealSecretRequest>,
    ) -> Answer<pb::RevealSecretResponse> {
        let secret = flows::reveal_secret(&self.0, &request.into_inner().reference).await;
        answer(secret.map(|secret| pb::RevealSecretResponse {
            token: secret.token,
            code: secret.code,
            expires_in: convert::seconds(secret.expires_in),
        }))
    }
}

fn contact(user: User) -> pb::Contact {
    pb::Contact {
        user_id: user.id.to_string(),
        tenant_id: user.tenant_id.to_string(),
        email: Some(user.email),
        phone: user.phone,
        locale: user.locale,
        time_zone: user.time_zone,
        display_name: user.display_name,
    }
}
