//! Reading streams and the whole log, and what is kept with an event.

use bytes::Bytes;
use keynest_domain::*;
use keynest_store::*;
use uuid::Uuid;

use crate::given::*;

async fn an_absent_stream_is_empty(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(store.read_stream(&stream("b"), Revision::NONE).await.unwrap(), []);
    assert_eq!(store.read_stream(&stream("\0"), Revision::NONE).await.unwrap(), []);
}

async fn an_empty_log_has_nothing_to_read(store: EventStore) {
    assert_eq!(store.head().await.unwrap(), Position::START);
    assert_eq!(store.read_all(Position::START, 10).await.unwrap(), []);
}

async fn a_stream_is_read_behind_a_revision(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3"])])).await.unwrap();
    for (after, left) in [(0, 3), (1, 2), (3, 0), (9, 0), (u32::MAX, 0)] {
        let read = store.read_stream(&stream("a"), Revision::new(after)).await.unwrap();
        assert_eq!(read.len(), left, "after {after}");
        assert!(read.iter().all(|event| event.revision.get() > after));
    }
}

async fn a_stream_is_read_page_by_page(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3", "4", "5"])])).await.unwrap();
    store.append(one("b", at(0))).await.unwrap();
    let mut pages = Vec::new();
    let mut after = Revision::NONE;
    loop {
        let page = store.read_stream_page(&stream("a"), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.revision;
        pages.push(page.len());
    }
    assert_eq!(pages, [2, 2, 1]);
}

async fn a_long_stream_is_read_whole(store: EventStore) {
    let texts: Vec<String> = (0..1_001).map(|number| number.to_string()).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    store.append(append([part("a", at(0), &texts)])).await.unwrap();
    store.append(append([part("a", at(1_001), &texts)])).await.unwrap();
    let read = store.read_stream(&stream("a"), Revision::NONE).await.unwrap();
    assert_eq!(read.len(), 2_002);
    assert!((1..).zip(&read).all(|(revision, event)| event.revision.get() == revision));
}

async fn an_import_of_1001_events_is_one_append(store: EventStore) {
    let mut import = one("a", at(0));
    import.streams[0].events = (0..1_001).map(event).collect();
    import.claims = (0..1_000).map(|id| (claim(id), stream("a"))).collect();
    let appended = store.append(import).await.unwrap();
    let ends = [appended.first, appended.position];
    assert_eq!([number(&store, ends[0]).await, number(&store, ends[1]).await], [1, 1_001]);
    let read = store.read_all(Position::START, 2_000).await.unwrap();
    let texts = read.iter().map(|event| serde_json::from_slice::<String>(&event.data).unwrap());
    assert!(texts.enumerate().all(|(number, text)| text == number.to_string()));
    assert!(store.resolve(&claim(999)).await.unwrap().is_some());
}

async fn the_log_is_read_in_order_of_position(store: EventStore) {
    for id in ["a", "b", "a", "c", "b"] {
        store.append(one(id, Expected::Any)).await.unwrap();
    }
    let read = store.read_all(Position::START, 10).await.unwrap();
    let order: Vec<&str> = read.iter().map(|event| event.stream.id()).collect();
    assert_eq!(order, ["a", "b", "a", "c", "b"]);
    assert!(read.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(store.head().await.unwrap(), read[4].position);
}

async fn the_log_is_read_behind_a_position_up_to_a_limit(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3", "4", "5"])])).await.unwrap();
    let read = async |after: usize, limit| {
        let after = place(&store, after).await;
        let events = store.read_all(after, limit).await.unwrap();
        events.iter().map(|event| event.revision.get()).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 2).await, [1, 2]);
    assert_eq!(read(2, 2).await, [3, 4]);
    assert_eq!(read(4, 2).await, [5]);
    assert_eq!(read(0, 0).await, [0; 0]);
}

async fn behind_the_head_there_is_nothing(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let head = store.head().await.unwrap().to_stored();
    for after in [head, head + 1, head + 1_000_000, u64::MAX] {
        assert_eq!(store.read_all(Position::from_stored(after), 10).await.unwrap(), []);
    }
}

async fn an_answer_has_a_limit_of_events(store: EventStore) {
    for _ in 0..10 {
        let mut many = one("a", Expected::Any);
        many.streams[0].events = vec![event(""); 1_001];
        store.append(many).await.unwrap();
    }
    let read = store.read_all(Position::START, usize::MAX).await.unwrap();
    assert_eq!(read.len(), READ_EVENTS_MAX);
}

async fn an_answer_is_cut_short_by_bytes_and_goes_on(store: EventStore) {
    let mut large = one("a", Expected::Any);
    let data = Bytes::from(vec![b'x'; EVENT_BYTES_MAX]);
    large.streams[0].events =
        vec![NewEvent { data, ..event("") }; READ_BYTES_MAX / EVENT_BYTES_MAX];
    store.append(large).await.unwrap();
    store.append(one("a", Expected::Any)).await.unwrap();
    let read = store.read_all(Position::START, 1_000).await.unwrap();
    assert_eq!(read.len(), READ_BYTES_MAX / EVENT_BYTES_MAX);
    let rest = store.read_all(read.last().unwrap().position, 1_000).await.unwrap();
    assert_eq!(rest.len(), 1);
}

async fn one_position_is_read(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2"])])).await.unwrap();
    let last = place(&store, 2).await;
    let read = store.read_at(last).await.unwrap().unwrap();
    assert_eq!(read.revision, Revision::new(2));
    let behind = Position::from_stored(last.to_stored() + 1);
    assert_eq!(store.read_at(behind).await.unwrap(), None);
}

async fn many_positions_are_read_in_order(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3", "4"])])).await.unwrap();
    let last = place(&store, 4).await;
    let nowhere = Position::from_stored(last.to_stored() + 5);
    let positions = [last, place(&store, 2).await, nowhere];
    let read = store.read_these(&positions).await.unwrap();
    let found: Vec<u32> = read.iter().map(|it| it.revision.get()).collect();
    assert_eq!(found, [2, 4]);
    assert_eq!(store.read_these(&[]).await.unwrap(), []);
}

async fn what_lies_between_two_positions_is_counted(store: EventStore) {
    store.append(append([part("a", at(0), &["1", "2", "3"])])).await.unwrap();
    store.append(one("b", at(0))).await.unwrap();
    for (after, until, between) in [(0, 4, 4), (1, 3, 2), (3, 4, 1), (4, 4, 0), (3, 1, 0)] {
        let [after, until] = [place(&store, after).await, place(&store, until).await];
        assert_eq!(store.count_between(after, until).await.unwrap(), between);
    }
}

async fn a_moment_is_found_in_the_log(store: EventStore) {
    assert_eq!(
        store.position_before(Timestamp::from_micros(i64::MAX)).await.unwrap(),
        Position::START
    );
    for name in ["a", "b", "c", "d", "e"] {
        store.append(one(name, at(0))).await.unwrap();
    }
    let all = store.read_all(Position::START, 10).await.unwrap();
    for event in &all {
        let wanted =
            all.iter().filter(|it| it.recorded_at < event.recorded_at).map(|it| it.position).max();
        let found = store.position_before(event.recorded_at).await.unwrap();
        assert_eq!(found, wanted.unwrap_or(Position::START));
    }
    assert_eq!(store.position_before(Timestamp::from_micros(0)).await.unwrap(), Position::START);
    let end = store.position_before(Timestamp::from_micros(i64::MAX)).await.unwrap();
    assert_eq!(end, store.head().await.unwrap());
}

async fn metadata_comes_back_as_it_was_given(store: EventStore) {
    let uuid = Uuid::from_u128;
    let metadata = Metadata {
        actor: Some(UserId::new(ID_MAX)),
        organization: Some(OrganizationId::new(1)),
        session: Some(SessionId::new(uuid(2))),
        request: Some(RequestId::new(uuid(3))),
        causation: Some(EventId::new(uuid(4))),
        correlation: Some(uuid(u128::MAX)),
        client: Some(Sealed::from_bytes(vec![0, 255, 7])),
    };
    let mut full = append([part("a", at(0), &["1", "2"])]);
    full.metadata = metadata.clone();
    store.append(full).await.unwrap();
    store.append(one("b", at(0))).await.unwrap();
    let read = store.read_all(Position::START, 3).await.unwrap();
    assert_eq!([&read[0].metadata, &read[1].metadata], [&metadata, &metadata]);
    assert_eq!(read[2].metadata, Metadata::default());
}

async fn names_and_bytes_come_back_as_they_were_given(store: EventStore) {
    let data = Bytes::from("{ \"text\" : \"\u{1F511} \\u0000 \u{202E} \" }\n".as_bytes().to_vec());
    let mut odd = one("\u{1F511}-\u{e9}e\u{301} '\"\\{},NULL", at(0));
    odd.streams[0].events[0] = NewEvent { name: "thing.\u{fc}ber".into(), version: 7, data };
    store.append(odd.clone()).await.unwrap();
    let read = store.read_stream(&odd.streams[0].stream, Revision::NONE).await.unwrap();
    let NewEvent { name, version, data } = odd.streams[0].events[0].clone();
    assert_eq!((&read[0].name, read[0].version, &read[0].data), (&name, version, &data));
    assert_eq!(read[0].stream, odd.streams[0].stream);
}

async fn an_empty_payload_is_a_payload(store: EventStore) {
    let mut empty = one("a", at(0));
    empty.streams[0].events[0].data = Bytes::new();
    store.append(empty).await.unwrap();
    assert!(store.read_all(Position::START, 1).await.unwrap()[0].data.is_empty());
}

async fn time_never_runs_against_position(store: EventStore) {
    let before = store.clock().await.unwrap();
    for _ in 0..50 {
        store.append(append([part("a", Expected::Any, &["1", "2"])])).await.unwrap();
    }
    let read = store.read_all(Position::START, 200).await.unwrap();
    assert!(read.is_sorted_by_key(|event| event.recorded_at));
    assert!(before <= read[0].recorded_at);
    assert!(read[99].recorded_at <= store.clock().await.unwrap());
}

async fn the_life_of_the_log_stays(store: EventStore) {
    let life = store.incarnation();
    store.append(one("a", at(0))).await.unwrap();
    assert_eq!(store.clone().incarnation(), life);
    assert_ne!(life.get(), Uuid::nil());
}

contract![
    an_absent_stream_is_empty,
    an_empty_log_has_nothing_to_read,
    a_stream_is_read_behind_a_revision,
    a_stream_is_read_page_by_page,
    a_long_stream_is_read_whole,
    an_import_of_1001_events_is_one_append,
    the_log_is_read_in_order_of_position,
    the_log_is_read_behind_a_position_up_to_a_limit,
    behind_the_head_there_is_nothing,
    an_answer_has_a_limit_of_events,
    an_answer_is_cut_short_by_bytes_and_goes_on,
    one_position_is_read,
    many_positions_are_read_in_order,
    what_lies_between_two_positions_is_counted,
    a_moment_is_found_in_the_log,
    metadata_comes_back_as_it_was_given,
    names_and_bytes_come_back_as_they_were_given,
    an_empty_payload_is_a_payload,
    time_never_runs_against_position,
    the_life_of_the_log_stays,
];
