//! Where streams stand, and reading the log from a position and before one.

use keynest_store::*;

use crate::given::*;

async fn a_stream_says_how_far_it_has_come(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3"])])).await.unwrap();
    store.append(one("b", at(0))).await.unwrap();
    for (name, events) in [("a", 3), ("b", 1), ("c", 0), ("\0", 0)] {
        assert_eq!(store.stream_revision(&stream(name)).await.unwrap(), Revision::new(events));
    }
}

async fn the_log_is_read_from_a_position_and_before_one(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3", "4", "5"])])).await.unwrap();
    let all = all(&store).await;
    let at = |number: u64| match number {
        0 => Position::START,
        6 => Position::from_stored(all[4].position.to_stored() + 1),
        u64::MAX => Position::from_stored(u64::MAX),
        number => all[number as usize - 1].position,
    };
    let numbers = |events: Vec<Recorded>| -> Vec<usize> {
        let number = |event: &Recorded| all.iter().position(|it| it == event).unwrap() + 1;
        events.iter().map(number).collect()
    };
    for (from, read) in [(0, vec![1, 2]), (1, vec![1, 2]), (4, vec![4, 5]), (6, vec![])] {
        let events = store.read_all_from(at(from), 2).await.unwrap();
        assert_eq!(numbers(events), read, "from {from}");
    }
    let before = [(0, vec![]), (1, vec![]), (2, vec![1]), (5, vec![4, 3]), (6, vec![5, 4])];
    for (until, read) in before.into_iter().chain([(u64::MAX, vec![5, 4])]) {
        let events = store.read_all_before(at(until), 2).await.unwrap();
        assert_eq!(numbers(events), read, "before {until}");
    }
}

contract![a_stream_says_how_far_it_has_come, the_log_is_read_from_a_position_and_before_one];
