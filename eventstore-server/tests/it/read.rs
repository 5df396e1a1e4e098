//! Reads: streams and all of them, both ways, with counts and filters.

use kurrentdb::{
    Error, EventData, Position, ReadAllOptions, ReadEvent, ReadStreamOptions, StreamPosition,
    StreamState, SubscriptionFilter,
};

use crate::server::{Face, event, revisions};

fn at(position: u64) -> StreamPosition<Position> {
    StreamPosition::Position(Position { commit: position, prepare: position })
}

async fn a_stream_is_read_both_ways_from_everywhere(face: Face) {
    face.given("a", 5).await;
    face.given("b", 2).await;
    let read =
        async |options: ReadStreamOptions| revisions(&face.read("a", options).await.unwrap());
    let forwards = || ReadStreamOptions::default().forwards();
    let backwards = || ReadStreamOptions::default().backwards();
    assert_eq!(read(forwards()).await, [0, 1, 2, 3, 4]);
    assert_eq!(read(forwards().position(StreamPosition::Position(3))).await, [3, 4]);
    assert_eq!(read(forwards().position(StreamPosition::Position(9))).await, [0; 0]);
    assert_eq!(
        read(ReadStreamOptions::default().position(StreamPosition::End).forwards()).await,
        [0; 0]
    );
    assert_eq!(read(forwards().max_count(2)).await, [0, 1]);
    assert_eq!(read(backwards().position(StreamPosition::End)).await, [4, 3, 2, 1, 0]);
    assert_eq!(read(backwards().position(StreamPosition::Position(1))).await, [1, 0]);
    assert_eq!(
        read(backwards().position(StreamPosition::Position(u64::MAX))).await,
        [4, 3, 2, 1, 0]
    );
    // Naming an end chooses the direction in this client, so the direction is named behind it.
    assert_eq!(
        read(ReadStreamOptions::default().position(StreamPosition::Start).backwards()).await,
        [0]
    );
    assert_eq!(read(backwards().position(StreamPosition::End).max_count(2)).await, [4, 3]);
}

async fn an_absent_stream_is_not_found(face: Face) {
    face.given("b", 1).await;
    let missing = face.read("a", Default::default()).await;
    assert!(matches!(missing, Err(Error::ResourceNotFound)), "{missing:?}");
}

async fn the_end_of_a_stream_is_told(face: Face) {
    face.given("a", 5).await;
    let mut stream = face.client.read_stream("a", &Default::default()).await.unwrap();
    let mut last = None;
    while let Some(told) = stream.next_read_event().await.unwrap() {
        if let ReadEvent::LastStreamPosition(position) = told {
            last = Some(position);
        }
    }
    assert_eq!(last, Some(4));
}

async fn a_long_stream_is_read_over_many_pages(face: Face) {
    for _ in 0..7 {
        let events = (0..100).map(|_| event("thing.happened")).collect();
        face.append("a", StreamState::Any, events).await.unwrap();
    }
    let forwards = face.read("a", Default::default()).await.unwrap();
    assert_eq!(revisions(&forwards), Vec::from_iter(0..700));
    let end = ReadStreamOptions::default().backwards().position(StreamPosition::End);
    let mut backwards = face.read("a", end).await.unwrap();
    backwards.reverse();
    assert_eq!(revisions(&backwards), Vec::from_iter(0..700));
    let all = ReadAllOptions::default().backwards().position(StreamPosition::End);
    let mut all = face.read_all(all).await.unwrap();
    all.reverse();
    assert_eq!(revisions(&all), Vec::from_iter(0..700));
}

async fn the_log_is_read_both_ways_from_a_position(face: Face) {
    let first = face.given("a", 2).await.position;
    let second = face.given("b", 1).await.position;
    face.given("a", 1).await;
    let read = async |options: ReadAllOptions| {
        let events = face.read_all(options).await.unwrap();
        events.iter().map(|it| format!("{}{}", it.stream_id(), it.revision)).collect::<Vec<_>>()
    };
    let forwards = || ReadAllOptions::default().forwards();
    let backwards = || ReadAllOptions::default().backwards();
    assert_eq!(read(forwards()).await, ["a0", "a1", "b0", "a2"]);
    assert_eq!(read(forwards().max_count(3)).await, ["a0", "a1", "b0"]);
    // Forwards the event at the position is read, backwards it is not.
    assert_eq!(read(forwards().position(at(first.commit))).await, ["a1", "b0", "a2"]);
    assert_eq!(read(backwards().position(at(second.commit))).await, ["a1", "a0"]);
    assert_eq!(read(backwards().position(StreamPosition::End)).await, ["a2", "b0", "a1", "a0"]);
    assert_eq!(read(backwards().position(StreamPosition::End).max_count(1)).await, ["a2"]);
    let from_start = ReadAllOptions::default().position(StreamPosition::Start).backwards();
    assert_eq!(read(from_start).await, [""; 0]);
    let from_end = ReadAllOptions::default().position(StreamPosition::End).forwards();
    assert_eq!(read(from_end).await, [""; 0]);
}

async fn the_log_is_filtered_and_counts_what_matches(face: Face) {
    for (stream, kind) in [("a-1", "sold"), ("b-1", "sold"), ("a-2", "$hidden"), ("a-1", "bought")]
    {
        face.append(stream, StreamState::Any, vec![event(kind)]).await.unwrap();
    }
    let read = async |filter, count, is_backwards: bool| {
        let options = ReadAllOptions::default().filter(filter).max_count(count);
        let options = match is_backwards {
            true => options.backwards().position(StreamPosition::End),
            false => options.forwards(),
        };
        let events = face.read_all(options).await.unwrap();
        events.iter().map(|it| format!("{}:{}", it.stream_id(), it.event_type)).collect::<Vec<_>>()
    };
    let on_type = SubscriptionFilter::on_event_type;
    let on_stream = SubscriptionFilter::on_stream_name;
    let visible = ["a-1:sold", "b-1:sold", "a-1:bought"];
    assert_eq!(read(on_type().exclude_system_events(), 9, false).await, visible);
    assert_eq!(read(on_type().regex(r"^(?!(?:\$.+|bought)$).+$"), 9, false).await, visible[..2]);
    assert_eq!(read(on_stream().add_prefix("a-"), 2, false).await, ["a-1:sold", "a-2:$hidden"]);
    assert_eq!(read(on_stream().add_prefix("x").add_prefix("b"), 9, false).await, ["b-1:sold"]);
    assert_eq!(read(on_type().exclude_system_events(), 1, true).await, ["a-1:bought"]);
    let broken = ReadAllOptions::default().filter(on_type().regex("("));
    let refused = face.read_all(broken).await;
    assert!(matches!(refused, Err(Error::Grpc { code, .. }) if code as i32 == 3), "{refused:?}");
}

async fn a_link_is_followed_where_that_is_asked_for(face: Face) {
    face.given("a", 2).await;
    let link = |to: &'static str| EventData::binary("$>", to.into());
    let links = vec![link("1@a"), link("7@a"), link("nonsense")];
    face.append("links", StreamState::Any, links).await.unwrap();
    let read = async |options: ReadStreamOptions| {
        let mut stream = face.client.read_stream("links", &options).await.unwrap();
        let mut told = Vec::new();
        while let Some(event) = stream.next().await.unwrap() {
            let place = |it: &kurrentdb::RecordedEvent| (it.stream_id().to_owned(), it.revision);
            told.push((event.event.as_ref().map(place), event.link.as_ref().map(place)));
        }
        told
    };
    let place = |stream: &str, revision| Some((stream.to_owned(), revision));
    let followed = read(ReadStreamOptions::default().resolve_link_tos()).await;
    let broken = (1..3).map(|revision| (None, place("links", revision)));
    assert_eq!(followed[0], (place("a", 1), place("links", 0)));
    assert_eq!(followed[1..], Vec::from_iter(broken));
    assert_eq!(read(Default::default()).await[0], (place("links", 0), None));
}

on_each_backend![
    a_stream_is_read_both_ways_from_everywhere,
    an_absent_stream_is_not_found,
    the_end_of_a_stream_is_told,
    a_long_stream_is_read_over_many_pages,
    the_log_is_read_both_ways_from_a_position,
    the_log_is_filtered_and_counts_what_matches,
    a_link_is_followed_where_that_is_asked_for,
];
