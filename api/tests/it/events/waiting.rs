//! Waiting for what is yet to come.

use futures::future::join_all;
use serde_json::json;

use super::*;

#[sqlx::test(migrations = false)]
async fn sixty_four_waiters_hear_of_a_new_event(pool: PgPool) {
    let team = team_with(pool, |feed| feed.readers_per_caller_max = 64).await;
    let Team { app, admin, .. } = &team;
    let (_, end) = app.events(admin, ALL).await;
    let query = format!("wait=20&after={end}");
    let mut polls = Box::pin(join_all((0..64).map(|_| app.events(admin, &query))));
    app.waits(64, &mut polls).await;
    let (heard, _) = tokio::join!(polls, team.variable("NEWS", "x"));
    for (events, _) in heard {
        assert_eq!(types(&events), ["environment.variable_created"]);
    }
    app.seated(0).await;
}

#[sqlx::test(migrations = false)]
async fn a_waiter_is_not_woken_by_what_is_not_its_business(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, outsider, organization, .. } = &team;
    let (_, end) = app.events(admin, ALL).await;
    let query = format!("wait=20&type=project.*&organization={organization}&after={end}");
    let mut poll = Box::pin(app.events(admin, &query));
    let elsewhere = async {
        app.seated(1).await;
        app.make(outsider, "organizations/", json!({"name": "Other"})).await.expect(201);
        team.variable("NEWS", "x").await;
        app.catch_up().await;
    };
    tokio::select! {
        _ = &mut poll => panic!("answered with nothing"),
        () = elsewhere => {}
    }
    let wish = json!({"name": "api", "organization": organization});
    let (made, heard) = tokio::join!(app.make(admin, "projects/", wish), poll);
    assert_eq!(types(&heard.0), ["project.created"]);
    assert_eq!(heard.0[0]["subject"], format!("project-{}", made.id()));
}

#[sqlx::test(migrations = false)]
async fn a_waiter_is_answered_when_time_is_up(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (_, end) = app.events(&ann, ALL).await;
    let (none, further) = app.events(&ann, &format!("wait=1&after={end}")).await;
    assert!(none.is_empty());
    assert!(app.events(&ann, &format!("after={further}")).await.0.is_empty());
}
