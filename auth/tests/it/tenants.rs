//! The tenant of a request that carries no token, and of one that does.

use proto::auth as pb;
use proto::{ErrorCode, metadata};

use crate::people::refresh_token;
use crate::voices::{Refusal, from_client, hear};
use crate::world::{ANA, PASSWORD, World, on_each_database};

async fn login_in(world: &World, tenant: &str) -> crate::voices::Heard<pb::LoginResponse> {
    let attempt =
        pb::LoginRequest { email: Some(ANA.to_owned()), password: PASSWORD.to_owned(), ..Default::default() };
    let mut request = from_client(attempt);
    request.metadata_mut().insert(metadata::TENANT, tenant.parse().unwrap());
    hear(world.gateway.sessions().login(request).await)
}

#[tokio::test]
async fn a_tenant_goes_by_its_id_or_its_short_name() {
    on_each_database(async |world: &mut World| {
        world.person(ANA).await;
        for tenant in ["default", "00000000-0000-7000-8000-000000000001"] {
            login_in(world, tenant).await.unwrap();
        }
        for tenant in ["nowhere", "00000000-0000-7000-8000-00000000dead"] {
            assert_eq!(login_in(world, tenant).await.refusal(), ErrorCode::NotFound);
        }
    })
    .await;
}

#[tokio::test]
async fn a_suspended_tenant_lets_nobody_in_or_on() {
    on_each_database(async |world: &mut World| {
        let tokens = world.signed_in(ANA).await;
        world.rows.execute("UPDATE tenant SET status = 'suspended'").await;
        assert_eq!(world.login(ANA, PASSWORD).await.refusal(), ErrorCode::TenantSuspended);
        assert_eq!(world.authenticate(&tokens.access_token).await.refusal(), ErrorCode::TenantSuspended);
        assert_eq!(world.refresh(refresh_token(&tokens)).await.refusal(), ErrorCode::TenantSuspended);
        world.rows.execute("UPDATE tenant SET status = 'active'").await;
        world.authenticate(&tokens.access_token).await.unwrap();
    })
    .await;
}
