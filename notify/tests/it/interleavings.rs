//! Whatever is done to an inbox in whatever order: the count is the truth, places have no gaps, and the
//! revision grows with every change.

use std::collections::BTreeSet;

use notify::Notify;
use proptest::prelude::*;
use proto::notify::inbox_service_server::InboxService;
use proto::notify::{MarkAllReadRequest, MarkReadRequest};

use crate::people::{by, count, inbox, news, read, read_all, revisions, send};
use crate::world::{USER, World};

#[derive(Clone, Debug)]
enum Step {
    Send,
    List,
    ReadAll,
    /// The notification at this place, counted around what there is.
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Send),
        1 => Just(Step::List),
        1 => Just(Step::ReadAll),
        4 => any::<usize>().prop_map(Step::Read),
    ]
}

/// What there should be: an unread flag a notification, by place.
#[derive(Default)]
struct Model {
    unread: Vec<bool>,
    revision: u32,
}

impl Model {
    fn unread_count(&self) -> u32 {
        u32::try_from(self.unread.iter().filter(|unread| **unread).count()).unwrap()
    }

    async fn take(&mut self, step: &Step, notify: &Notify) {
        match step {
            Step::Send => {
                send(notify, news()).await.unwrap();
                self.unread.push(true);
                self.revision += 1;
            }
            Step::List => {
                inbox(notify).await;
            }
            Step::ReadAll => {
                self.revision += u32::from(self.unread_count() > 0);
                self.unread.fill(false);
                assert_eq!(read_all(notify).await, (0, self.revision));
            }
            Step::Read(place) if !self.unread.is_empty() => {
                let place = place % self.unread.len();
                let items = inbox(notify).await.items;
                let id = &items[items.len() - 1 - place].id;
                self.revision += u32::from(std::mem::take(&mut self.unread[place]));
                assert_eq!(read(notify, id).await.unwrap(), (self.unread_count(), self.revision));
            }
            Step::Read(_) => {}
        }
        assert_eq!(count(notify).await, (self.unread_count(), self.revision));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_steps_keeps_the_count_the_places_and_the_revision(
        steps in proptest::collection::vec(step(), 1..24),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let database = testkit::Database::sqlite();
            let world = World::new(&database).await;
            let notify = world.notify("file:").await;
            let mut model = Model::default();
            for step in &steps {
                model.take(step, &notify).await;
            }
            let shown: Vec<_> = inbox(&notify).await.items.into_iter().rev().collect();
            let unread: Vec<bool> = shown.iter().map(|item| item.read_at.is_none()).collect();
            assert_eq!(unread, model.unread);
            let places: Vec<u32> = shown.iter().map(|item| item.seq).collect();
            assert_eq!(places, (1..=u32::try_from(shown.len()).unwrap()).collect::<Vec<_>>());
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn at_once_from_two_processes_the_count_stays_the_truth() {
    for (name, database) in testkit::databases() {
        let world = World::new(&database).await;
        let (one, other) = (world.notify("file:").await, world.notify("file:").await);
        for _ in 0..10 {
            send(&one, news()).await.unwrap();
        }
        let ids: Vec<String> = inbox(&one).await.items.into_iter().map(|item| item.id).collect();
        let mut revisions_seen = BTreeSet::new();
        let reading = ids.iter().flat_map(|id| [(&one, id), (&other, id)]).map(async |(notify, id)| {
            let request = MarkReadRequest { notification_id: id.clone() };
            let answer = notify.inboxes().mark_read(by(USER, request)).await.unwrap();
            answer.get_ref().revision
        });
        let sending = (0..20).map(|n| send(if n % 2 == 0 { &one } else { &other }, news()));
        let all = async {
            let answer = other.inboxes().mark_all_read(by(USER, MarkAllReadRequest {})).await.unwrap();
            answer.get_ref().revision
        };
        let (read, sent, all) =
            tokio::join!(futures::future::join_all(reading), futures::future::join_all(sending), all);
        revisions_seen.extend(read);
        revisions_seen.insert(all);
        for sent in sent {
            assert_eq!(sent.unwrap().accepted, 1, "{name}");
        }

        let shown = inbox(&one).await;
        let truth = shown.items.iter().filter(|item| item.read_at.is_none()).count();
        assert_eq!(shown.unread_count as usize, truth, "{name}");
        let places: BTreeSet<u32> = shown.items.iter().map(|item| item.seq).collect();
        assert_eq!(places, (1..=30).collect(), "{name}: no gaps, no doubles");
        let standing = revisions(&one, &[USER]).await.remove(0);
        assert!(revisions_seen.iter().all(|seen| *seen <= standing.revision), "{name}");
        assert_eq!((standing.seq, standing.unread_count), (30, shown.unread_count), "{name}");
    }
}
