//! A person's own sessions, page by page.

use proto::ErrorCode;
use proto::auth as pb;

use crate::people::claims;
use crate::voices::{Heard, Refusal, by, hear};
use crate::world::{ANA, BOB, PASSWORD, World, on_each_database};

async fn list(
    world: &World,
    tokens: &pb::Tokens,
    wish: pb::ListSessionsRequest,
) -> Heard<pb::ListSessionsResponse> {
    let passport = world.passport(tokens).await;
    hear(world.gateway.sessions().list_sessions(by(&passport, wish)).await)
}

async fn five_sessions(world: &World) -> Vec<pb::Tokens> {
    world.person(ANA).await;
    let mut sessions = Vec::new();
    for _ in 0..5 {
        sessions.push(world.login(ANA, PASSWORD).await.unwrap());
        world.wait(1);
    }
    sessions
}

#[tokio::test]
async fn sessions_are_listed_newest_first_with_what_they_are() {
    on_each_database(async |world: &mut World| {
        let tokens = five_sessions(world).await;
        world.logout(&tokens[1]).await.unwrap();
        world.signed_in(BOB).await;
        let all = list(world, &tokens[2], pb::ListSessionsRequest::default()).await.unwrap();

        let ids: Vec<_> = all.items.iter().map(|session| session.id.clone()).collect();
        let expected: Vec<_> =
            tokens.iter().rev().map(|tokens| claims(&tokens.access_token).sid.to_string()).collect();
        assert_eq!((ids, all.page, all.limit, all.next_cursor), (expected, 1, 20, None));
        let current: Vec<_> = all.items.iter().map(|session| session.current).collect();
        assert_eq!(current, [false, false, true, false, false]);
        assert_eq!(all.items[3].status(), pb::SessionStatus::Revoked);
        let own = &all.items[2];
        assert_eq!((own.status(), own.auth_method()), (pb::SessionStatus::Active, pb::AuthMethod::Local));
        assert_eq!(own.ip_address.as_deref(), Some("203.0.113.7"));
        assert_eq!(own.user_agent.as_deref(), Some("Firefox/140"));
        assert_eq!(own.device_type(), pb::DeviceType::Unspecified);
    })
    .await;
}

#[tokio::test]
async fn a_list_goes_on_where_its_cursor_stands() {
    on_each_database(async |world: &mut World| {
        let tokens = five_sessions(world).await;
        let mut seen = Vec::new();
        let mut wish = pb::ListSessionsRequest { limit: Some(2), ..Default::default() };
        loop {
            let page = list(world, &tokens[0], wish.clone()).await.unwrap();
            seen.extend(page.items.into_iter().map(|session| session.id));
            match page.next_cursor {
                Some(cursor) => wish.cursor = Some(cursor),
                None => break,
            }
        }
        let expected: Vec<_> =
            tokens.iter().rev().map(|tokens| claims(&tokens.access_token).sid.to_string()).collect();
        assert_eq!(seen, expected);

        let second = pb::ListSessionsRequest { limit: Some(2), page: Some(2), cursor: None };
        let second = list(world, &tokens[0], second).await.unwrap();
        assert_eq!(second.items.into_iter().map(|session| session.id).collect::<Vec<_>>(), expected[2..4]);
    })
    .await;
}

#[tokio::test]
async fn a_cursor_that_is_made_up_or_anothers_is_refused() {
    on_each_database(async |world: &mut World| {
        let tokens = five_sessions(world).await;
        let bob = world.signed_in(BOB).await;
        let wish = pb::ListSessionsRequest { limit: Some(2), ..Default::default() };
        let cursor = list(world, &tokens[0], wish.clone()).await.unwrap().next_cursor.unwrap();
        let (head, last) = cursor.split_at(cursor.len() - 1);
        let made_up = format!("{head}{}", if last == "A" { "B" } else { "A" });
        for (who, cursor) in
            [(&bob, cursor.as_str()), (&tokens[0], &made_up), (&tokens[0], "x"), (&tokens[0], "é")]
        {
            let wish = pb::ListSessionsRequest { cursor: Some(cursor.to_owned()), ..wish.clone() };
            assert_eq!(list(world, who, wish).await.refusal(), ErrorCode::InvalidCursor, "{cursor}");
        }
        let far = pb::ListSessionsRequest { limit: Some(100), page: Some(101), cursor: None };
        assert_eq!(list(world, &bob, far).await.refusal(), ErrorCode::ValidationError);
        let large = pb::ListSessionsRequest { limit: Some(101), ..Default::default() };
        assert_eq!(list(world, &bob, large).await.refusal(), ErrorCode::ValidationError);
    })
    .await;
}
