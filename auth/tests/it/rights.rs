//! Who may do what: roles are set by who holds them, tokens notice, and somebody always stays in charge.

use proto::ErrorCode;
use proto::auth as pb;
use proto::kv::AccessState;

use crate::people::{claims, refresh_token};
use crate::voices::Refusal;
use crate::world::{ADMIN, ADMIN_PASSWORD, ANA, BOB, World, on_each_database};

async fn admin(world: &World) -> pb::Tokens {
    world.login(ADMIN, ADMIN_PASSWORD).await.unwrap()
}

fn id(tokens: &pb::Tokens) -> String {
    claims(&tokens.access_token).sub.to_string()
}

#[tokio::test]
async fn a_change_of_roles_makes_tokens_stale_and_a_refresh_repairs_them() {
    on_each_database(async |world: &mut World| {
        let admin = admin(world).await;
        let ana = world.signed_in(ANA).await;
        let other = world.signed_in(BOB).await;
        world.authenticate(&ana.access_token).await.unwrap();

        let user = world.set_roles(&admin, &id(&ana), &["MANAGER"]).await.unwrap();
        assert_eq!(user.roles, ["MANAGER"]);
        assert_eq!(world.published(&ana).await, Some(AccessState::Doubt), "the edge asks auth");
        assert!(user.permissions.contains(&"user:read".to_owned()));
        let told = world.notify.next("user.permissions-changed").await;
        assert_eq!(told.user_ids, [id(&ana)]);
        assert_eq!(world.authenticate(&ana.access_token).await.refusal(), ErrorCode::AuthTokenStale);
        let renewed = world.refresh(refresh_token(&ana)).await.unwrap();
        let who = world.authenticate(&renewed.access_token).await.unwrap();
        assert_eq!(who.roles, ["MANAGER", "USER"]);
        assert!(claims(&renewed.access_token).pv > claims(&ana.access_token).pv);
        world.authenticate(&other.access_token).await.unwrap();
        world.wait(30);
        world.authenticate(&renewed.access_token).await.unwrap();
        let roles = vec!["MANAGER".to_owned(), "USER".to_owned()];
        let user_id = claims(&ana.access_token).sub;
        assert_eq!(
            world.published(&renewed).await,
            Some(AccessState::Active { user_id, roles }),
            "and then need not"
        );

        world.set_roles(&admin, &id(&ana), &[]).await.unwrap();
        assert_eq!(world.authenticate(&renewed.access_token).await.refusal(), ErrorCode::AuthTokenStale);
        let renewed = world.refresh(refresh_token(&renewed)).await.unwrap();
        let who = world.authenticate(&renewed.access_token).await.unwrap();
        assert_eq!((who.roles, who.permissions), (Vec::<String>::new(), Vec::<String>::new()));
        assert_eq!(
            world.rows.count("audit_record WHERE action = 'user.roles-set' AND actor_id <> target_id").await,
            2
        );
    })
    .await;
}

#[tokio::test]
async fn nobody_lifts_their_own_rights_or_deposes_who_holds_more() {
    on_each_database(async |world: &mut World| {
        let admin = admin(world).await;
        let ana = world.signed_in(ANA).await;
        let lifted = world.set_roles(&ana, &id(&ana), &["ADMIN"]).await;
        assert_eq!(lifted.refusal(), ErrorCode::PermissionDenied);
        let deposed = world.set_roles(&ana, &id(&admin), &["USER"]).await;
        assert_eq!(deposed.refusal(), ErrorCode::PermissionDenied);
        world.authenticate(&ana.access_token).await.unwrap();
        world.authenticate(&admin.access_token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    on_each_database(async |world: &mut World| {
        let admin = admin(world).await;
        let ana = world.signed_in(ANA).await;
        let alone = world.set_roles(&admin, &id(&admin), &["USER"]).await;
        assert_eq!(alone.refusal(), ErrorCode::Conflict);

        world.set_roles(&admin, &id(&ana), &["ADMIN"]).await.unwrap();
        let ana = world.refresh(refresh_token(&ana)).await.unwrap();
        let (ana_id, admin_id) = (id(&ana), id(&admin));
        let (by_ana, by_admin) = (world.passport(&ana).await, world.passport(&admin).await);
        let (one, two) = tokio::join!(
            world.set_roles_by(&by_admin, &ana_id, &["USER"]),
            world.set_roles_by(&by_ana, &admin_id, &["USER"])
        );
        let refused =
            [one, two].into_iter().filter_map(Result::err).map(|error| error.code()).collect::<Vec<_>>();
        assert_eq!(refused, [ErrorCode::Conflict], "each deposed the other at once");
        assert_eq!(world.rows.count("user_role WHERE role = 'ADMIN'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_role_and_an_unknown_user_are_refused() {
    on_each_database(async |world: &mut World| {
        let admin = admin(world).await;
        let ana = world.signed_in(ANA).await;
        let unknown = world.set_roles(&admin, &id(&ana), &["USER", "WIZARD"]).await.unwrap_err();
        assert_eq!(
            (unknown.code(), unknown.violations()[0].field.as_str()),
            (ErrorCode::ValidationError, "roles[1]")
        );
        for nobody in ["00000000-0000-7000-8000-00000000dead", "not an id", ""] {
            assert_eq!(world.set_roles(&admin, nobody, &["USER"]).await.refusal(), ErrorCode::NotFound);
        }
        world.authenticate(&ana.access_token).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_user_of_another_tenant_is_not_there() {
    on_each_database(async |world: &mut World| {
        let admin = admin(world).await;
        let ana = world.signed_in(ANA).await;
        // Tenants have no rpc yet: she and her session move into a new one behind auth's back.
        let root = "(SELECT id FROM tenant WHERE slug = 'default')";
        let other = "(SELECT id FROM session WHERE user_id = (SELECT id FROM user_account WHERE email = 'ana@example.org'))";
        world.rows.execute(&format!(
            "INSERT INTO tenant (id, slug, name, status, created_at) SELECT {other}, 'other', 'Other', status, created_at FROM tenant WHERE id = {root}"
        ))
        .await;
        world.rows.execute(&format!("UPDATE user_account SET tenant_id = {other} WHERE email = '{ANA}'")).await;
        let foreign = world.set_roles(&admin, &id(&ana), &["USER"]).await.unwrap_err();
        let unknown = world.set_roles(&admin, "00000000-0000-7000-8000-00000000dead", &["USER"]).await.unwrap_err();
        assert_eq!((foreign.code(), foreign.text()), (ErrorCode::NotFound, unknown.text()));
        // Nor does she sign in where she is not.
        assert_eq!(world.login(ANA, crate::world::PASSWORD).await.refusal(), ErrorCode::AuthInvalidCredentials);
    })
    .await;
}
