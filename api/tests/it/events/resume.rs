//! Going on from a position: nothing is lost and nothing comes twice.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;

use super::*;

#[sqlx::test(migrations = false)]
async fn from_each_position_comes_exactly_the_rest(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, .. } = &team;
    let (all, _) = app.events(admin, ALL).await;
    assert!(all.len() > 10);
    for (index, event) in all.iter().enumerate() {
        let (rest, _) = app.events(admin, &format!("{ALL}&after={}", position(event))).await;
        assert_eq!(ids(&rest), ids(&all)[index + 1..]);
        // The same place as the answer tells it, which is another text.
        let (first, place) = app.events(admin, &format!("limit={}", index + 1)).await;
        let (rest, _) = app.events(admin, &format!("{ALL}&after={place}")).await;
        assert_eq!([ids(&first), ids(&rest)].concat(), ids(&all));
    }
}

/// Goes on from the answer's position, and every other time from the last event itself, as a reader that was cut off would.
async fn follow(app: &TestApp, caller: &Person, until: usize) -> Vec<String> {
    let (mut met, mut after) = (Vec::new(), "start".to_owned());
    while met.len() < until {
        let query = format!("limit=7&wait=20&type=environment.variable_created&after={after}");
        let (events, place) = app.events(caller, &query).await;
        after = match events.last() {
            Some(last) if met.len() % 2 == 0 => position(last).to_owned(),
            _ => place,
        };
        met.extend(ids(&events));
    }
    met
}

#[sqlx::test(migrations = false)]
async fn readers_meet_every_event_once_while_64_write(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, environment, .. } = &team;
    let writers = (0..64).map(|writer| async move {
        for turn in 0..3 {
            let key = format!("KEY_{writer}_{turn}");
            let wish = json!({"key": key, "value": "x", "environment": environment});
            app.make(editor, "variables/", wish).await.expect(201);
        }
    });
    let readers = (0..4).map(|_| follow(app, admin, 64 * 3));
    let mut live = app.stream(admin, "type=environment.variable_created", None).await;
    let streamed = async {
        let mut met = Vec::new();
        while met.len() < 64 * 3 {
            let event = live.event().await;
            // Cut off every now and then, as networks do.
            if met.len() % 50 == 49 {
                let last = Some(position(&event));
                live = app.stream(admin, "type=environment.variable_created", last).await;
            }
            met.extend(ids(&[event]));
        }
        met
    };
    let (_, met, streamed) = tokio::join!(join_all(writers), join_all(readers), streamed);
    let (all, _) = app.events(admin, &format!("{ALL}&type=environment.variable_created")).await;
    let written: BTreeSet<_> = all.iter().map(|it| it["data"]["key"].to_string()).collect();
    assert_eq!((all.len(), written.len()), (64 * 3, 64 * 3));
    for met in met.into_iter().chain([streamed]) {
        assert_eq!(met, ids(&all));
    }
}

#[sqlx::test(migrations = false)]
async fn what_is_passed_by_is_not_looked_at_again(pool: PgPool) {
    let team = team_with(pool, |feed| feed.scan_max = 5).await;
    let Team { app, admin, .. } = &team;
    team.variable("LAST", "x").await;
    let (all, _) = app.events(admin, &format!("{ALL}&after=start")).await;
    assert_eq!(all.len(), 5, "one look");
    let (mut after, mut met, mut answers) = ("start".to_owned(), Vec::new(), 0);
    while met.is_empty() {
        let query = format!("{ALL}&type=environment.variable_created&after={after}");
        (met, after) = app.events(admin, &query).await;
        answers += 1;
    }
    assert!(answers > 2, "empty answers go on, too: {answers}");
    assert_eq!(types(&met), ["environment.variable_created"]);
}
