//! Lists: raw, ordered, paged.

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::team::Team;

/// Fields that the frontend gives to its date formatter.
const DATES: [&str; 3] = ["created_at", "updated_at", "joined_at"];

#[sqlx::test(migrations = false)]
async fn r02_r03_lists_are_raw_pages_and_long_ones_come_on_page_1(pool: PgPool) {
    let team = Team::start(pool).await;
    let file: String = (0..150).map(|n| format!("K{n:03}={n}\n")).collect();
    let import = format!("environments/{}/import/", team.environment);
    team.app.make(&team.editor, &import, json!({"data": file})).await.expect(200);
    let path = format!("environments/{}/variables/", team.environment);
    let page = team.app.read(&team.editor, &path).await.expect(200).body;
    let fields: Vec<_> = page.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["count", "next", "previous", "results"]);
    assert_eq!(
        (&page["count"], &page["next"], &page["previous"]),
        (&json!(150), &Value::Null, &Value::Null)
    );
    let keys: Vec<_> = page["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["key"].as_str().unwrap())
        .collect();
    assert_eq!(keys.len(), 150);
    assert!(keys.is_sorted());
}

#[sqlx::test(migrations = false)]
async fn pages_follow_each_other_by_links_of_the_configured_origin(pool: PgPool) {
    let team = Team::start(pool).await;
    for n in 0..5 {
        let wish = json!({"name": format!("project {n}"), "organization": team.organization});
        team.app.make(&team.admin, "projects/", wish).await.expect(201);
    }
    let mut path = format!("/api/core/projects/?organization={}&page_size=2", team.organization);
    let mut seen = Vec::new();
    loop {
        let request = team
            .app
            .as_person(&team.viewer, Method::GET, &path)
            .header("X-Forwarded-Host", "evil.example");
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(page["count"], 6);
        seen.extend(
            page["results"].as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()),
        );
        let Some(next) = page["next"].as_str() else { break };
        let origin = &team.app.app.settings.public_url;
        path = next.strip_prefix(origin.as_str()).expect("the configured origin").to_owned();
    }
    assert_eq!(seen.len(), 6);
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!(distinct.len(), 6, "no row twice");
    for query in ["page=5&page_size=2", "page=0", "page=x", "page=-1"] {
        team.app.read(&team.viewer, &format!("projects/?{query}")).await.expect(404);
    }
}

#[sqlx::test(migrations = false)]
async fn lists_show_only_what_is_the_callers_own(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("TOKEN", "x").await;
    for (path, count) in [("projects/", 0), ("environments/", 0), ("variables/", 0)] {
        assert_eq!(
            team.app.read(&team.outsider, path).await.expect(200).body["count"],
            count,
            "{path}"
        );
        assert_eq!(team.app.read(&team.viewer, path).await.expect(200).body["count"], 1, "{path}");
    }
    let foreign = format!("projects/?organization={}", team.organization);
    assert_eq!(team.app.read(&team.outsider, &foreign).await.expect(200).body["count"], 0);
    let ignored = team.app.read(&team.viewer, "projects/?organization=x").await.expect(200);
    assert_eq!(ignored.body["count"], 1);
    let other = team
        .app
        .make(&team.admin, "projects/", json!({"name": "other", "organization": team.organization}))
        .await
        .id();
    let filtered = |project: i64| format!("environments/?project={project}");
    assert_eq!(team.app.read(&team.viewer, &filtered(team.project)).await.body["count"], 1);
    assert_eq!(team.app.read(&team.viewer, &filtered(other)).await.body["count"], 0);
}

#[sqlx::test(migrations = false)]
async fn r14_every_date_of_every_shape_is_a_date(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("TOKEN", "x").await;
    let members = format!("organizations/{}/members/", team.organization);
    let mut seen = 0;
    for path in ["organizations/", "projects/", "environments/", "variables/", &members] {
        let body = team.app.read(&team.admin, path).await.expect(200).body;
        let rows = body["results"].as_array().or(body["members"].as_array()).unwrap();
        assert!(!rows.is_empty(), "{path}");
        for (row, field) in rows.iter().flat_map(|row| DATES.map(|field| (row, field))) {
            let Some(date) = row.get(field) else { continue };
            let text = date.as_str().unwrap_or_else(|| panic!("{path} {field}: {date}"));
            assert!(OffsetDateTime::parse(text, &Rfc3339).is_ok(), "{path} {field}: {text}");
            seen += 1;
        }
    }
    assert!(seen >= 2 * 4 + 3, "{seen} dates in four shapes and three members");
}

#[sqlx::test(migrations = false)]
async fn the_index_names_the_collections_and_they_answer(pool: PgPool) {
    let team = Team::start(pool).await;
    let index = team.app.read(&team.viewer, "").await.expect(200).body;
    let origin = team.app.app.settings.public_url.clone();
    for (name, url) in index.as_object().unwrap() {
        let path = url.as_str().unwrap().strip_prefix(&origin).unwrap();
        assert_eq!(path, format!("/api/core/{name}/"));
        team.app.read(&team.viewer, path).await.expect(200);
    }
    let root = team.app.call(None, Method::GET, "/api/", Value::Null).await.expect(200).body;
    assert_eq!(root["features"].as_array().unwrap().len(), 8);
    assert!(root["endpoints"]["organizations"].is_string());
}

#[sqlx::test(migrations = false)]
async fn r17_paths_work_with_and_without_the_slash(pool: PgPool) {
    let team = Team::start(pool).await;
    team.app.read(&team.viewer, &format!("projects/{}", team.project)).await.expect(200);
    let wish = json!({"key": "TOKEN", "value": "x", "environment": team.environment});
    team.app.make(&team.editor, "variables", wish).await.expect(201);
}
