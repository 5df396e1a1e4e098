//! 64 at once: exactly one wins what only one can have, and nothing is lost of the rest.

use keynest_store::{Append, AppendError, Appended, Conflict, EventStore, Expected, Revision};

use crate::given::*;

const RACERS: usize = 64;
/// How often a name changes hands.
const MOVES: u32 = 60;

async fn race(
    store: &EventStore,
    append: impl Fn(usize) -> Append,
) -> Vec<Result<Appended, Conflict>> {
    let calls = (0..RACERS).map(|racer| {
        let (store, append) = (store.clone(), append(racer));
        tokio::spawn(async move { store.append(append).await })
    });
    let answers = futures::future::join_all(calls).await.into_iter().map(Result::unwrap);
    answers
        .map(|answer| match answer {
            Ok(appended) => Ok(appended),
            Err(AppendError::Conflict(conflict)) => Err(conflict),
            Err(other) => panic!("{other}"),
        })
        .collect()
}

fn winners(answers: &[Result<Appended, Conflict>]) -> usize {
    answers.iter().filter(|answer| answer.is_ok()).count()
}

async fn one_stream_at_one_revision_has_one_winner(store: EventStore) {
    for revision in 0..3 {
        let answers = race(&store, |_| one("a", at(revision))).await;
        assert_eq!(winners(&answers), 1);
        let lost = Conflict::Revision {
            stream: stream("a"),
            expected: Revision::new(revision),
            actual: Revision::new(revision + 1),
        };
        assert!(answers.iter().flat_map(|answer| answer.as_ref().err()).all(|why| *why == lost));
    }
    assert_eq!(length(&store).await, 3);
}

async fn one_claim_has_one_winner(store: EventStore) {
    let answers = race(&store, |racer| {
        let mut append = one(racer, at(0));
        append.claims = vec![(claim("x"), stream(racer))];
        append
    })
    .await;
    let winner = answers.iter().position(Result::is_ok).unwrap();
    assert_eq!(winners(&answers), 1);
    let (holder, _) = store.resolve(&claim("x")).await.unwrap().unwrap();
    assert_eq!(holder, stream(winner));
    assert_eq!(length(&store).await, 1);
}

async fn crossed_checks_let_one_through(store: EventStore) {
    // Two admins who remove each other: each writes one stream and checks the other.
    let answers = race(&store, |racer| {
        let (mine, other) = if racer % 2 == 0 { ("a", "b") } else { ("b", "a") };
        let mut append = one(mine, at(0));
        append.checks = vec![(stream(other), Revision::NONE)];
        append
    })
    .await;
    assert_eq!(winners(&answers), 1);
}

async fn any_revision_lets_everybody_through(store: EventStore) {
    let answers = race(&store, |_| append([part("a", Expected::Any, &["1", "2"])])).await;
    assert_eq!(winners(&answers), RACERS);
    let mut firsts: Vec<u64> = answers.iter().flatten().map(|it| it.first.to_stored()).collect();
    firsts.sort_unstable();
    let all = all(&store).await;
    assert!(all.chunks(2).map(|pair| pair[0].position.to_stored()).eq(firsts));
    let read = store.read_stream(&stream("a"), Revision::NONE).await.unwrap();
    assert_eq!(read.len(), 2 * RACERS);
}

async fn one_transfer_of_a_name_wins(store: EventStore) {
    let mut first = one("first", at(0));
    first.claims = vec![(claim("x"), stream("first"))];
    store.append(first).await.unwrap();
    let answers = race(&store, |racer| {
        let mut append = one(racer, at(0));
        append.checks = vec![(stream("first"), Revision::new(1))];
        append.streams.push(part("door", at(0), &["through"]));
        append.releases = vec![claim("x")];
        append.claims = vec![(claim("x"), stream(racer))];
        append
    })
    .await;
    assert_eq!(winners(&answers), 1);
    let winner = answers.iter().position(Result::is_ok).unwrap();
    assert_eq!(store.resolve(&claim("x")).await.unwrap(), Some((stream(winner), Revision::new(1))));
}

async fn retrying_losers_all_get_through(store: EventStore) {
    let calls = (0..RACERS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut revision = 0;
            loop {
                match store.append(one("a", at(revision))).await {
                    Ok(_) => return,
                    Err(AppendError::Conflict(Conflict::Revision { actual, .. })) => {
                        revision = actual.get();
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    for call in futures::future::join_all(calls).await {
        call.unwrap();
    }
    assert_eq!(length(&store).await, RACERS);
}

/// A name goes from one stream to the other and back, each time with an event on both: nobody ever sees a holder at a
/// revision that it had without the name.
async fn a_name_is_resolved_with_a_revision_at_which_it_was_held(store: EventStore) {
    let mut first = append([part("a", at(0), &["first"]), part("b", at(0), &["1", "2"])]);
    first.claims = vec![(claim("x"), stream("a"))];
    store.append(first).await.unwrap();
    let mover = store.clone();
    let moving = tokio::spawn(async move {
        // Both have it at odd revisions alone: `a` begins with it at one, `b` without it at two.
        let mut revisions = [1, 2];
        for round in 0..MOVES {
            let (from, to) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
            let names = ["a", "b"];
            let mut append = append([
                part(names[from], at(revisions[from]), &["given"]),
                part(names[to], at(revisions[to]), &["taken"]),
            ]);
            append.releases = vec![claim("x")];
            append.claims = vec![(claim("x"), stream(names[to]))];
            mover.append(append).await.unwrap();
            revisions = revisions.map(|revision| revision + 1);
        }
    });
    while !moving.is_finished() {
        let (_, revision) = store.resolve(&claim("x")).await.unwrap().unwrap();
        assert_eq!(revision.get() % 2, 1, "a stream has the name at odd revisions");
        // A log in memory is never waited for.
        tokio::task::yield_now().await;
    }
    moving.await.unwrap();
}

contract![
    a_name_is_resolved_with_a_revision_at_which_it_was_held,
    one_stream_at_one_revision_has_one_winner,
    one_claim_has_one_winner,
    crossed_checks_let_one_through,
    any_revision_lets_everybody_through,
    one_transfer_of_a_name_wins,
    retrying_losers_all_get_through,
];
