//! `verify` finds what somebody did to the tables.

use keynest_domain::login::LoginUnlocked;
use keynest_domain::{Event, Timestamp};
use keynest_store::postgres::{Finding, Report, verify};
use keynest_store::{Expected, Position, Revision, encode};

use crate::database::{Database, with_database};
use crate::given::*;

/// Ten commands of two events over two streams, each stream with a claim.
async fn filled(database: &Database) {
    let store = database.open(&Default::default()).await;
    for number in 0..10 {
        let id = number % 2;
        let mut append = append([part(id, Expected::Any, &["", ""])]);
        let event = Event::from(LoginUnlocked { user: None, at: Timestamp::from_micros(number) });
        append.streams[0].events = vec![encode(&event); 2];
        append.command_id = command(900 + u128::from(number.unsigned_abs()));
        if number < 2 {
            append.claims = vec![(claim(id), stream(id))];
        }
        store.append(append).await.unwrap();
    }
}

async fn report_after(statement: &'static str) -> Report {
    let (tell, told) = tokio::sync::oneshot::channel();
    with_database(async move |database| {
        filled(&database).await;
        sqlx::raw_sql(statement).execute(&database.pool).await.unwrap();
        tell.send(verify(&database.pool, |_| {}).await.unwrap()).unwrap();
    })
    .await;
    told.await.unwrap()
}

#[tokio::test]
async fn a_sound_log_is_counted_and_nothing_is_found() {
    let report = report_after("select").await;
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.events, report.streams), (20, 2));
    assert_eq!((report.commands, report.claims), (10, 2));
}

#[tokio::test]
async fn progress_ends_at_the_head() {
    with_database(async |database| {
        filled(&database).await;
        let mut last = None;
        verify(&database.pool, |progress| last = Some(progress)).await.unwrap();
        assert_eq!(last.map(|it| (it.done.to_stored(), it.of.to_stored())), Some((20, 20)));
    })
    .await;
}

#[tokio::test]
async fn a_missing_event_is_a_hole_and_breaks_its_stream_and_command() {
    let report = report_after("delete from store.events where position = 7").await;
    let [after, next] = [6, 8].map(Position::from_stored);
    assert!(report.findings.contains(&Finding::Hole { after, next }), "{report:?}");
    let [expected, found] = [3, 4].map(Revision::new);
    let revision = Finding::Revision { position: next, expected, found };
    assert!(report.findings.contains(&revision), "{report:?}");
    assert!(report.findings.iter().any(|it| matches!(it, Finding::Command { .. })));
}

#[tokio::test]
async fn a_missing_end_is_found() {
    let report = report_after("delete from store.events where position > 18").await;
    let [counter, last] = [20, 18].map(Position::from_stored);
    assert!(report.findings.contains(&Finding::Counter { counter, last }), "{report:?}");
}

#[tokio::test]
async fn swapped_events_are_found() {
    let report = report_after(
        "update store.events set revision = 100 - revision; update store.streams set revision = 99",
    )
    .await;
    assert!(report.findings.iter().any(|it| matches!(it, Finding::Revision { .. })), "{report:?}");
}

#[tokio::test]
async fn time_against_position_is_found() {
    let report =
        report_after("update store.events set recorded_at = 'epoch' where position = 9").await;
    assert_eq!(report.findings, [Finding::Time { position: Position::from_stored(9) }]);
}

#[tokio::test]
async fn a_wrong_revision_in_a_stream_row_is_found() {
    let report =
        report_after("update store.streams set revision = 11 where name = 'thing-1'").await;
    let stream = "thing-1".to_owned();
    assert_eq!(report.findings, [Finding::Stream { stream, stored: 11, events: 10 }]);
}

#[tokio::test]
async fn a_missing_command_is_found() {
    let report = report_after("delete from store.commands where position = 5").await;
    assert_eq!(report.findings, [Finding::Command { command: command(902).get() }]);
}

#[tokio::test]
async fn a_foreign_event_id_is_found() {
    let report =
        report_after("update store.events set event_id = gen_random_uuid() where position = 6")
            .await;
    assert_eq!(report.findings, [Finding::EventId { position: Position::from_stored(6) }]);
}

#[tokio::test]
async fn changed_bytes_and_unknown_names_are_found() {
    let report = report_after(
        "update store.events set data = '{' where position = 3; \
         update store.events set type = 'login.teleported' where position = 4",
    )
    .await;
    assert_eq!(report.findings_total, 2);
    let at = report.findings.iter().map(|finding| {
        let Finding::Undecodable { position, .. } = finding else { panic!("{finding:?}") };
        position.to_stored()
    });
    assert!(at.eq([3, 4]));
}

#[tokio::test]
async fn a_claim_for_nothing_is_found() {
    let report = report_after("update store.claims set stream_id = 77 where key = 'name:1'").await;
    assert_eq!(report.findings, [Finding::Claim { key: "name:1".to_owned() }]);
}

#[tokio::test]
async fn events_without_a_stream_are_found() {
    let report = report_after("delete from store.streams where name = 'thing-1'").await;
    let orphans = report.findings.iter().filter(|it| matches!(it, Finding::Orphan { .. }));
    assert_eq!(orphans.count(), 10);
    assert!(report.findings.contains(&Finding::Claim { key: "name:1".to_owned() }));
}

#[tokio::test]
async fn an_event_without_a_stream_is_not_passed_over() {
    with_database(async |database| {
        filled(&database).await;
        sqlx::raw_sql("delete from store.streams where name = 'thing-1'")
            .execute(&database.pool)
            .await
            .unwrap();
        let store = database.open(&Default::default()).await;
        assert!(store.read_all(Position::START, 2).await.is_ok());
        assert!(store.read_all(Position::START, 3).await.is_err());
    })
    .await;
}
