//! Claims: names that one stream holds exclusively, taken and given back in the same append.

use keynest_store::{Append, AppendError, ClaimKey, Conflict, EventStore, Revision};

use crate::given::*;

/// One event on a new stream that takes a name.
fn taking(id: &str, what: &str) -> Append {
    let mut append = one(id, at(0));
    append.claims = vec![(claim(what), stream(id))];
    append
}

async fn holder(store: &EventStore, what: &str) -> Option<(String, u32)> {
    let (stream, revision) = store.resolve(&claim(what)).await.unwrap()?;
    Some((stream.as_str().to_owned(), revision.get()))
}

fn held(what: &str, by: &str) -> Conflict {
    Conflict::Claim { key: claim(what), holder: stream(by) }
}

async fn conflict(store: &EventStore, append: Append) -> Conflict {
    match store.append(append).await {
        Err(AppendError::Conflict(conflict)) => conflict,
        other => panic!("expected a conflict, not {other:?}"),
    }
}

async fn a_claim_resolves_to_its_stream_and_revision(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-a".to_owned(), 1)));
    store.append(append([part("a", at(1), &["2", "3"])])).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-a".to_owned(), 3)));
}

async fn an_unknown_claim_resolves_to_nothing(store: EventStore) {
    store.append(taking("a", "y")).await.unwrap();
    assert_eq!(holder(&store, "x").await, None);
    assert_eq!(store.resolve(&ClaimKey::from_stored("a\0b".to_owned())).await.unwrap(), None);
}

async fn a_held_claim_conflicts_and_names_its_holder(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    assert_eq!(conflict(&store, taking("b", "x")).await, held("x", "a"));
    assert_eq!(store.read_stream(&stream("b"), Revision::NONE).await.unwrap(), []);
}

async fn a_claim_is_held_against_its_own_holder_too(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    let mut again = one("a", at(1));
    again.claims = vec![(claim("x"), stream("a"))];
    assert_eq!(conflict(&store, again).await, held("x", "a"));
}

async fn a_released_claim_is_free(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    let mut release = one("a", at(1));
    release.releases = vec![claim("x")];
    store.append(release).await.unwrap();
    assert_eq!(holder(&store, "x").await, None);
    store.append(taking("b", "x")).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-b".to_owned(), 1)));
}

async fn releasing_what_nobody_holds_is_ignored(store: EventStore) {
    let mut release = one("a", at(0));
    release.releases = vec![claim("x"), claim("x")];
    store.append(release).await.unwrap();
    assert_eq!(holder(&store, "x").await, None);
}

async fn release_and_claim_in_one_append_move_a_name(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    let mut transfer = taking("b", "x");
    transfer.releases = vec![claim("x")];
    store.append(transfer).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-b".to_owned(), 1)));
}

async fn a_rename_swaps_one_name_for_another(store: EventStore) {
    store.append(taking("a", "old")).await.unwrap();
    let mut rename = one("a", at(1));
    rename.releases = vec![claim("old")];
    rename.claims = vec![(claim("new"), stream("a"))];
    store.append(rename).await.unwrap();
    assert_eq!(holder(&store, "old").await, None);
    assert_eq!(holder(&store, "new").await, Some(("thing-a".to_owned(), 2)));
}

async fn a_conflict_releases_and_claims_nothing(store: EventStore) {
    store.append(taking("a", "x")).await.unwrap();
    store.append(taking("b", "y")).await.unwrap();
    let mut wrong = one("a", at(1));
    wrong.releases = vec![claim("x")];
    wrong.claims = vec![(claim("z"), stream("a")), (claim("y"), stream("a"))];
    assert_eq!(conflict(&store, wrong).await, held("y", "b"));
    assert_eq!(holder(&store, "x").await, Some(("thing-a".to_owned(), 1)));
    assert_eq!(holder(&store, "z").await, None);
}

async fn a_claim_may_be_for_a_stream_that_is_only_checked(store: EventStore) {
    store.append(one("a", at(0))).await.unwrap();
    let mut other = one("b", at(0));
    other.checks = vec![(stream("a"), Revision::new(1))];
    other.claims = vec![(claim("x"), stream("a"))];
    store.append(other).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-a".to_owned(), 1)));
}

async fn many_claims_go_to_many_streams(store: EventStore) {
    let mut both = append([part("a", at(0), &["a"]), part("b", at(0), &["b1", "b2"])]);
    both.claims =
        vec![(claim("x"), stream("b")), (claim("y"), stream("a")), (claim("z"), stream("b"))];
    store.append(both).await.unwrap();
    assert_eq!(holder(&store, "x").await, Some(("thing-b".to_owned(), 2)));
    assert_eq!(holder(&store, "y").await, Some(("thing-a".to_owned(), 1)));
    assert_eq!(holder(&store, "z").await, Some(("thing-b".to_owned(), 2)));
}

async fn claims_differ_in_case_and_in_form(store: EventStore) {
    // The same letter, composed and decomposed: normalising is the caller's part.
    for (id, what) in [("a", "x"), ("b", "X"), ("c", "\u{e9}"), ("d", "e\u{301}"), ("e", "x ")] {
        store.append(taking(id, what)).await.unwrap();
    }
    assert_eq!(holder(&store, "e\u{301}").await, Some(("thing-d".to_owned(), 1)));
}

async fn what_a_stream_holds_is_listed_but_for_variables(store: EventStore) {
    let mut append = append([part("a", at(0), &["a"]), part("b", at(0), &["b"])]);
    let variable = ClaimKey::new("variable", 7);
    append.claims = vec![
        (claim("y"), stream("a")),
        (claim("x"), stream("a")),
        (claim("z"), stream("b")),
        (variable, stream("a")),
    ];
    store.append(append).await.unwrap();
    assert_eq!(store.claims_of(&stream("a")).await.unwrap(), [claim("x"), claim("y")]);
    assert_eq!(store.claims_of(&stream("c")).await.unwrap(), []);
    let mut release = one("a", at(1));
    release.releases = vec![claim("x")];
    store.append(release).await.unwrap();
    assert_eq!(store.claims_of(&stream("a")).await.unwrap(), [claim("y")]);
}

async fn names_with_a_beginning_are_listed_whoever_holds_them(store: EventStore) {
    let mut append = append([part("a", at(0), &["a"]), part("b", at(0), &["b"])]);
    let names = ["1:b", "1:a", "1", "12:a", "1;", "2:a", "1:\u{e9}"];
    let holders = ["a", "b"].into_iter().cycle();
    append.claims = names.iter().zip(holders).map(|(name, by)| (claim(name), stream(by))).collect();
    store.append(append).await.unwrap();
    let found = store.claims_under(&claim("1:"), 10).await.unwrap();
    assert_eq!(found, ["1:a", "1:b", "1:\u{e9}"].map(claim));
    assert_eq!(store.claims_under(&claim("1:"), 1).await.unwrap(), [claim("1:a")]);
    assert_eq!(store.claims_under(&claim("3:"), 10).await.unwrap(), []);
}

contract![
    what_a_stream_holds_is_listed_but_for_variables,
    names_with_a_beginning_are_listed_whoever_holds_them,
    a_claim_resolves_to_its_stream_and_revision,
    an_unknown_claim_resolves_to_nothing,
    a_held_claim_conflicts_and_names_its_holder,
    a_claim_is_held_against_its_own_holder_too,
    a_released_claim_is_free,
    releasing_what_nobody_holds_is_ignored,
    release_and_claim_in_one_append_move_a_name,
    a_rename_swaps_one_name_for_another,
    a_conflict_releases_and_claims_nothing,
    a_claim_may_be_for_a_stream_that_is_only_checked,
    many_claims_go_to_many_streams,
    claims_differ_in_case_and_in_form,
];
