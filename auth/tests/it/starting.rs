//! Starts: the first administrator is made once, however many processes start, and nothing is by default.

use proto::ErrorCode;
use testkit::Database;

use crate::voices::Refusal;
use crate::world::{ADMIN, ADMIN_PASSWORD, World, on_each_database};

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    on_each_database(async |world: &mut World| {
        let made = world.auth.as_ref().unwrap().first_administrator.clone().unwrap();
        assert_eq!((made.email.as_str(), made.made_up_password.is_none()), (ADMIN, true));
        let tokens = world.login(ADMIN, ADMIN_PASSWORD).await.unwrap();
        let user = world.me(&tokens).await.unwrap();
        assert_eq!(
            (user.roles, user.permissions, user.email_verified),
            (vec!["ADMIN".to_owned()], vec!["*:*".to_owned()], true)
        );

        world.kill_auth();
        world
            .start_auth(&[("ADMIN_EMAIL", "second@localhost"), ("ADMIN_PASSWORD", "another way to enter")])
            .await;
        assert!(world.auth.as_ref().unwrap().first_administrator.is_none());
        let second = world.login("second@localhost", "another way to enter").await;
        assert_eq!(second.refusal(), ErrorCode::AuthInvalidCredentials);
        world.login(ADMIN, ADMIN_PASSWORD).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_password_that_nobody_gave_is_made_up_and_shown_once() {
    let database = Database::sqlite();
    let mut world = World::on(&database, &[("ADMIN_PASSWORD", "")]).await;
    let made = world.auth.as_ref().unwrap().first_administrator.clone().unwrap();
    let shown = made.to_string();
    let password = shown.split("shown once: ").nth(1).unwrap().trim_end_matches(')').to_owned();
    assert!(password.len() >= 16 && !format!("{made:?}").contains(&password));
    world.login(ADMIN, &password).await.unwrap();
    world.kill_auth();
    world.start_auth(&[]).await;
    assert!(world.auth.as_ref().unwrap().first_administrator.is_none());
}

#[tokio::test]
async fn processes_that_start_at_once_on_an_empty_database_agree() {
    for (name, database) in testkit::databases() {
        eprintln!("on {name}");
        // The world's own process starts on another database: this one is empty.
        let aside = Database::sqlite();
        let world = World::on(&aside, &[]).await;
        let url = [("AUTH_DATABASE_URL", &*database)];
        let starts = futures::future::join_all((0..4).map(|_| world.another_auth(&url))).await;
        assert_eq!(starts.iter().filter(|process| process.first_administrator.is_some()).count(), 1);
        let rows = crate::store::Rows::open(&database).await;
        assert_eq!(rows.count("user_account").await, 1);
        assert_eq!(rows.count("tenant").await, 1);
        assert_eq!(rows.count("role").await, 6);
        assert_eq!(rows.count("signing_key WHERE status = 'active'").await, 2, "one of each ring");
    }
}
