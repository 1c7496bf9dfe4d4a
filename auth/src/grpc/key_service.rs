//! `KeyService`.

use proto::auth as pb;
use proto::auth::key_service_server::KeyService;

use super::{Answer, Request, Rpc, answer};

#[tonic::async_trait]
impl KeyService for Rpc {
    async fn get_key_set(&self, _: Request<pb::GetKeySetRequest>) -> Answer<pb::GetKeySetResponse> {
        answer(Ok(pb::GetKeySetResponse { keys: self.0.keys.access_keys() }))
    }

    async fn get_passport_key_set(
        &self,
        _: Request<pb::GetPassportKeySetRequest>,
    ) -> Answer<pb::GetPassportKeySetResponse> {
        answer(Ok(pb::GetPassportKeySetResponse { keys: self.0.keys.passport_keys() }))
    }
}
