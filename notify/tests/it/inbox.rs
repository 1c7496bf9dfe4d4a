//! A person's inbox: listed, counted, read, caught up with.

use std::time::Duration;

use proto::ErrorCode;
use proto::notify::inbox_service_server::InboxService;
use proto::notify::{GetUnreadCountRequest, ListNotificationsRequest, NotificationStatus, SyncInboxResponse};
use tonic::Request;
use uuid::Uuid;

use crate::people::{by, code, count, inbox, list, news, read, read_all, revisions, send, sync};
use crate::world::{USER, World, contact};

#[tokio::test]
async fn what_comes_is_listed_and_counted_and_what_is_listed_is_seen() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        assert_eq!(count(&notify).await, (0, 0), "{name}: an inbox to which nothing ever came");
        assert!(inbox(&notify).await.items.is_empty(), "{name}");
        for _ in 0..3 {
            send(&notify, news()).await.unwrap();
        }
        assert_eq!(count(&notify).await, (3, 3), "{name}");

        let first = inbox(&notify).await;
        assert_eq!(first.items.iter().map(|item| item.seq).collect::<Vec<_>>(), [3, 2, 1], "{name}");
        assert_eq!((first.unread_count, first.revision, first.next_cursor), (3, 3, None), "{name}");
        let newest = &first.items[0];
        assert_eq!(
            (newest.title.as_str(), newest.body.as_str()),
            ("It is on its way", "Expect it tomorrow.")
        );
        assert!(newest.seen_at.is_some() && newest.read_at.is_none() && newest.archived_at.is_none());

        world.clock.advance(Duration::from_secs(5));
        assert_eq!(
            inbox(&notify).await.items[0].seen_at,
            newest.seen_at,
            "{name}: seen when it was first listed"
        );
        assert_eq!(count(&notify).await, (3, 3), "{name}: what is seen is not read");
    }
}

#[tokio::test]
async fn reading_one_twice_counts_once_and_reading_all_is_one_step() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        for _ in 0..3 {
            send(&notify, news()).await.unwrap();
        }
        let ids: Vec<String> = inbox(&notify).await.items.into_iter().map(|item| item.id).collect();
        assert_eq!(read(&notify, &ids[1]).await.unwrap(), (2, 4), "{name}");
        assert_eq!(read(&notify, &ids[1]).await.unwrap(), (2, 4), "{name}: again changes nothing");
        assert_eq!(read_all(&notify).await, (0, 5), "{name}");
        assert_eq!(read_all(&notify).await, (0, 5), "{name}: again changes nothing");
        assert_eq!(read(&notify, &ids[0]).await.unwrap(), (0, 5), "{name}: it was read with all others");
        send(&notify, news()).await.unwrap();
        assert_eq!(count(&notify).await, (1, 6), "{name}");

        let unread =
            ListNotificationsRequest { status: NotificationStatus::Unread.into(), ..Default::default() };
        let unread = list(&notify, unread).await.unwrap().items;
        assert_eq!(unread.iter().map(|item| item.seq).collect::<Vec<_>>(), [4], "{name}");
        let archived =
            ListNotificationsRequest { status: NotificationStatus::Archived.into(), ..Default::default() };
        assert!(list(&notify, archived).await.unwrap().items.is_empty(), "{name}");
    }
}

#[tokio::test]
async fn a_later_read_all_does_not_move_the_time_that_was_shown() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        send(&notify, news()).await.unwrap();
        inbox(&notify).await;
        read_all(&notify).await;
        let shown = inbox(&notify).await.items[0].read_at;
        assert!(shown.is_some(), "{name}");

        world.clock.advance(Duration::from_mins(1));
        send(&notify, news()).await.unwrap();
        read_all(&notify).await;
        let items = inbox(&notify).await.items;
        assert_eq!(items[1].read_at, shown, "{name}");
        assert_ne!(items[0].read_at, shown, "{name}");
    }
}

#[tokio::test]
async fn pages_follow_each_other_by_number_and_by_cursor_and_the_last_has_no_next() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        for _ in 0..4 {
            send(&notify, news()).await.unwrap();
        }
        let page = async |page: Option<i32>, cursor: Option<String>| {
            let request = ListNotificationsRequest { page, cursor, limit: Some(2), ..Default::default() };
            let page = list(&notify, request).await.unwrap();
            (page.items.iter().map(|item| item.seq).collect::<Vec<_>>(), page.next_cursor)
        };
        let (seqs, next) = page(None, None).await;
        assert_eq!(seqs, [4, 3], "{name}");
        // What comes meanwhile moves pages by number, not by cursor.
        send(&notify, news()).await.unwrap();
        assert_eq!(page(None, next).await, (vec![2, 1], None), "{name}");
        assert_eq!(page(Some(2), None).await.0, [3, 2], "{name}");
        assert_eq!(page(Some(3), None).await, (vec![1], None), "{name}");
        assert_eq!(page(Some(4), None).await, (vec![], None), "{name}");

        let far = ListNotificationsRequest { page: Some(101), limit: Some(100), ..Default::default() };
        let refused = list(&notify, far).await.unwrap_err();
        assert_eq!(code(&refused), ErrorCode::ValidationError, "{name}");
    }
}

#[tokio::test]
async fn a_cursor_that_this_inbox_did_not_make_is_refused() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        let other = Uuid::from_u128(7);
        let mut lan = contact();
        lan.user_id = other.to_string();
        world.directory.knows(lan);
        let mut both = news();
        both.user_ids.push(other.to_string());
        for _ in 0..2 {
            send(&notify, both.clone()).await.unwrap();
        }
        let one = |cursor| ListNotificationsRequest { limit: Some(1), cursor, ..Default::default() };
        let theirs = notify.inboxes().list_notifications(by(other, one(None))).await.unwrap();
        let theirs = theirs.into_inner().next_cursor.unwrap();
        let mine = list(&notify, one(None)).await.unwrap().next_cursor.unwrap();
        assert_eq!(list(&notify, one(Some(mine.clone()))).await.unwrap().items[0].seq, 1, "{name}");

        let bent = mine.replacen(&mine[9..10], if &mine[9..10] == "A" { "B" } else { "A" }, 1);
        for forged in [theirs, bent, "é".to_owned(), "AAAA".to_owned(), mine[1..].to_owned()] {
            let refused = list(&notify, one(Some(forged.clone()))).await.unwrap_err();
            assert_eq!(code(&refused), ErrorCode::InvalidCursor, "{name}: {forged}");
        }
        let theirs = notify.inboxes().list_notifications(by(other, one(None))).await.unwrap();
        let id = theirs.into_inner().items[0].id.clone();
        for foreign in [id.as_str(), &Uuid::from_u128(9).to_string(), "no id"] {
            assert_eq!(code(&read(&notify, foreign).await.unwrap_err()), ErrorCode::NotFound, "{name}");
        }
        assert_eq!(count(&notify).await, (2, 2), "{name}");
    }
}

#[tokio::test]
async fn a_window_that_was_away_gets_what_it_missed_the_oldest_first() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let notify = world.notify("file:").await;
        assert_eq!(sync(&notify, Some(0)).await, SyncInboxResponse::default(), "{name}: nothing ever came");
        for _ in 0..3 {
            send(&notify, news()).await.unwrap();
        }
        let missed = sync(&notify, Some(1)).await;
        assert_eq!(missed.missed.iter().map(|item| item.seq).collect::<Vec<_>>(), [2, 3], "{name}");
        assert_eq!(
            (missed.seq, missed.unread_count, missed.revision, missed.reset),
            (3, 3, 3, false),
            "{name}"
        );
        for nothing in [None, Some(3), Some(4), Some(u32::MAX)] {
            let synced = sync(&notify, nothing).await;
            assert!(synced.missed.is_empty() && !synced.reset, "{name}: {nothing:?}");
            assert_eq!((synced.seq, synced.unread_count), (3, 3), "{name}");
        }
        let standing = revisions(&notify, &[USER, Uuid::from_u128(9)]).await;
        assert_eq!(standing.len(), 1, "{name}: who has no inbox is left out");
        assert_eq!((standing[0].seq, standing[0].unread_count, standing[0].revision), (3, 3, 3), "{name}");
    }
}

#[tokio::test]
async fn a_gap_of_more_than_five_hundred_is_a_reset() {
    let database = testkit::Database::sqlite();
    let world = World::new(&database).await;
    let notify = world.notify("file:").await;
    for _ in 0..501 {
        send(&notify, news()).await.unwrap();
    }
    let missed = sync(&notify, Some(1)).await;
    assert_eq!((missed.missed.len(), missed.reset), (500, false));
    let missed = sync(&notify, Some(0)).await;
    assert_eq!((missed.missed.len(), missed.reset, missed.seq, missed.unread_count), (0, true, 501, 501));
}

#[tokio::test]
async fn nobody_has_no_inbox() {
    let database = testkit::Database::sqlite();
    let world = World::new(&database).await;
    let notify = world.notify("file:").await;
    let refused =
        notify.inboxes().get_unread_count(Request::new(GetUnreadCountRequest {})).await.unwrap_err();
    assert_eq!(code(&refused), ErrorCode::Unauthenticated);
}
