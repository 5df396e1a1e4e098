//! When whoever reads may read no more, or the process stops.

use keynest_api::server::{ServerOptions, Stop};
use keynest_api::{EdgeSettings, edge, server};
use serde_json::json;
use tokio::net::TcpListener;

use super::*;

#[sqlx::test(migrations = false)]
async fn who_has_signed_out_or_lost_the_role_is_not_answered_any_more(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, organization, .. } = &team;
    let (_, end) = app.events(editor, ALL).await;
    let path = format!("/api/events/?wait=20&after={end}");
    let mut poll = Box::pin(app.read(editor, &path));
    app.waits(1, &mut poll).await;
    let out = json!({"refresh": editor.refresh});
    let (refused, _) = tokio::join!(poll, app.make(editor, "/api/auth/logout/", out));
    assert_eq!(refused.expect(401).body["code"], "token_not_valid");

    let editor = app.sign_in("edi").await;
    let path = format!("/api/events/?wait=20&organization={organization}&after={end}");
    let mut poll = Box::pin(app.read(&editor, &path));
    app.waits(1, &mut poll).await;
    let role = format!("organizations/{organization}/update_member_role/");
    let wish = json!({"user_id": editor.id, "role": "viewer"});
    let (refused, _) = tokio::join!(poll, app.change(admin, &role, wish));
    assert_eq!(refused.expect(403).body["code"], "role_too_weak");
    team.variable("LATER", "x").await;
    let (events, _) = app.events(&editor, &format!("after={end}")).await;
    let organization = organization.to_string();
    assert!(events.iter().all(|it| it["organization"] != *organization));
}

#[sqlx::test(migrations = false)]
async fn a_stream_ends_with_what_it_was_opened_by(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, editor, organization, .. } = &team;
    let (personal, number) = app.token(editor, json!({"everywhere": true})).await;
    let role = json!({"access": "read", "role": "editor", "everywhere": true});
    let (service, robot) = team.service(role).await;
    app.catch_up().await;
    let of_session = app.stream(editor, "after=end", None).await;
    let of_token = app.stream(&personal, "after=end", None).await;
    let of_service = app.stream(&service, "after=end", None).await;
    let of_admin = app.stream(admin, "after=end", None).await;
    let again = app.sign_in("edi").await;
    let of_role = app.stream(&again, "after=end", None).await;
    app.seated(5).await;

    app.remove(&again, &format!("/api/auth/tokens/{number}/"), Value::Null).await.expect(204);
    let path = format!("organizations/{organization}/tokens/{robot}/");
    app.remove(admin, &path, Value::Null).await.expect(204);
    let out = json!({"refresh": editor.refresh});
    app.make(editor, "/api/auth/logout/", out).await.expect(200);
    for stream in [of_session, of_token, of_service] {
        let last = stream.last().await;
        assert_eq!(last.event.as_deref(), Some("end"), "{last:?}");
        assert_eq!(last.data.unwrap()["code"], "token_not_valid");
    }
    let wish = json!({"user_id": again.id, "role": "viewer"});
    let path = format!("organizations/{organization}/update_member_role/");
    app.change(admin, &path, wish).await.expect(200);
    let last = of_role.last().await;
    assert_eq!(last.event.as_deref(), Some("end"), "{last:?}");
    assert_eq!(last.data.unwrap()["code"], "role_too_weak");
    app.seated(1).await;
    drop(of_admin);
    app.seated(0).await;
}

#[sqlx::test(migrations = false)]
async fn a_process_that_stops_lets_its_readers_go(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, .. } = &team;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/events/", listener.local_addr().unwrap());
    let (stop, service) = (Stop::default(), edge(app.app.clone(), &EdgeSettings::default()));
    let served =
        tokio::spawn(server::serve(listener, service, ServerOptions::default(), stop.clone()));
    let ask = |query: &str| app.client.get(format!("{url}?{query}")).bearer_auth(&admin.access);
    let stream = ask("after=end").header("Accept", "text/event-stream").send().await.unwrap();
    let stream = Stream::new(stream);
    let poll = tokio::spawn(ask("after=end&wait=20").send());
    app.seated(2).await;
    stop.drain.cancel();
    let answer = poll.await.unwrap().unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers().contains_key("keynest-position"));
    let last = stream.last().await;
    assert_eq!(last.event, None, "{last:?}");
    assert!(last.comment.unwrap().contains("come back"));
    assert_eq!(served.await.unwrap(), server::Drained::Finished);
}
