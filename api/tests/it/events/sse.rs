//! The feed as server-sent events.

use std::time::Duration;

use super::*;

#[sqlx::test(migrations = false)]
async fn a_stream_tells_what_there_is_and_then_what_comes(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, .. } = &team;
    let (all, _) = app.events(admin, ALL).await;
    let mut stream = app.stream(admin, "", None).await;
    for event in &all {
        assert_eq!(stream.event().await["id"], event["id"]);
    }
    let mut fresh = app.stream(admin, "after=end", None).await;
    let variable = team.variable("NEWS", "x").await;
    for stream in [&mut stream, &mut fresh] {
        let event = stream.event().await;
        assert_eq!(event["type"], "environment.variable_created");
        assert_eq!(event["data"]["variable"], variable);
    }
}

#[sqlx::test(migrations = false)]
async fn a_stream_that_broke_off_goes_on_after_its_last_event(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, .. } = &team;
    let (all, end) = app.events(admin, ALL).await;
    for taken in 1..all.len() {
        let mut stream = app.stream(admin, "", None).await;
        let mut last = String::new();
        for event in &all[..taken] {
            let told = stream.event().await;
            assert_eq!(told["id"], event["id"]);
            last = position(&told).to_owned();
        }
        drop(stream);
        // It goes before where the address of the stream began.
        let mut again = app.stream(admin, &format!("after={end}"), Some(&last)).await;
        assert_eq!(again.event().await["id"], all[taken]["id"]);
    }
}

#[sqlx::test(migrations = false)]
async fn a_silent_stream_shows_life_and_moves_the_place_on(pool: PgPool) {
    let mut builder = TestApp::builder(pool);
    builder.settings.feed.heartbeat = Duration::from_millis(50);
    let team = Team::of(builder.start().await).await;
    let Team { app, admin, .. } = &team;
    let mut stream = app.stream(admin, "type=environment.variable_created", None).await;
    let mut quiet = async || loop {
        let sent = stream.next().await.unwrap();
        assert_eq!((&sent.data, &sent.event), (&None, &None));
        if let (Some(_), Some(id)) = (sent.comment, sent.id) {
            return id;
        }
    };
    quiet().await;
    let place = quiet().await;
    let (events, _) = app.events(admin, &format!("{ALL}&after={place}")).await;
    assert!(events.is_empty(), "all that was there is passed by");
    team.variable("NEWS", "x").await;
    let mut again = app.stream(admin, "", Some(&place)).await;
    assert_eq!(again.event().await["type"], "environment.variable_created");
}
