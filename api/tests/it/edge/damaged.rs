//! What a disk or a hand has spoiled in the log: commands on it say so, nothing else is touched.

use keynest_commands::Clock;
use keynest_domain::StreamName;
use keynest_store::{Append, Expected, Metadata, NewEvent, StreamAppend};
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use crate::core::team::Team;

#[sqlx::test(migrations = false)]
async fn an_event_that_cannot_be_read_closes_its_stream_alone(pool: PgPool) {
    let team = Team::start(pool).await;
    let Team { app, admin, project, organization, .. } = &team;
    let body = json!({"name": "Sound", "organization": organization});
    let sound = app.make(admin, "projects/", body).await.expect(201).id();
    let event =
        NewEvent { name: "project.updated".into(), version: 1, data: (&b"{\"na"[..]).into() };
    let stream = StreamName::new("project", project);
    let append = Append {
        command_id: Clock::default().command_id(),
        streams: vec![StreamAppend { stream, expected: Expected::Any, events: vec![event] }],
        checks: vec![],
        claims: vec![],
        releases: vec![],
        metadata: Metadata::default(),
    };
    app.app.commands.store().append(append).await.unwrap();
    for (id, status, code) in [(*project, 503, "log_damaged"), (sound, 200, "")] {
        let path = format!("projects/{id}/");
        let answer = app.change(admin, &path, json!({"description": "x"})).await;
        assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
        assert_eq!(answer.body["code"].as_str().unwrap_or_default(), code);
    }
    let path = format!("/api/core/projects/{project}/");
    let answer = app.as_person(admin, Method::DELETE, &path).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(answer.headers()["retry-after"], "300");
    app.read(admin, &path).await.expect(200);
}
