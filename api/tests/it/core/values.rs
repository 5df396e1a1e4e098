//! Values: verbatim, revealed only on record, never kept by anybody in between.

use keynest_commands::Origin;
use keynest_commands::access::{Read, Revealed};
use keynest_domain::{OrganizationId, UserId, VariableId};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::team::Team;

/// How many readings are in the log.
async fn readings(team: &Team, name: &str) -> i64 {
    let count: (i64,) = sqlx::query_as("select count(*) from store.events where type = $1")
        .bind(name)
        .fetch_one(&team.app.store_pool)
        .await
        .unwrap();
    count.0
}

#[sqlx::test(migrations = false)]
async fn d18_d20_d23_values_are_stored_as_they_are(pool: PgPool) {
    let team = Team::start(pool).await;
    let long = "x".repeat(64 * 1024);
    let values = [
        "",
        " ",
        "  leading and trailing\t",
        "a\r\nb\n",
        "data:image/png;base64,AA==",
        "metadata:5432",
        "<script>alert(1)</script>",
        "javascript:eval(1)",
        "union select drop table x",
        "quote\"'`\\ $HOME #x",
        "ü 漢字 🦀",
        "\u{202e}rtl",
        &long,
    ];
    for (at, value) in values.into_iter().enumerate() {
        let id = team.variable(&format!("K{at}"), value).await;
        let path = format!("variables/{id}/");
        assert_eq!(
            team.app.read(&team.editor, &path).await.expect(200).body["decrypted_value"],
            value
        );
        let changed = team
            .app
            .change(&team.editor, &path, json!({"value": format!("{value}")}))
            .await
            .expect(200);
        assert_eq!(changed.body["decrypted_value"], value);
        let cleared = team
            .app
            .change(&team.editor, &path, json!({"key": format!("K{at}"), "value": ""}))
            .await;
        assert_eq!(cleared.expect(200).body["decrypted_value"], "");
    }
}

#[sqlx::test(migrations = false)]
async fn values_beyond_the_limit_are_refused(pool: PgPool) {
    let team = Team::start(pool).await;
    for value in ["x".repeat(64 * 1024 + 1), "a\u{0}b".to_owned()] {
        let wish = json!({"key": "TOKEN", "value": value, "environment": team.environment});
        let refused = team.app.make(&team.editor, "variables/", wish).await.expect(400);
        assert!(refused.body["value"][0].is_string());
    }
    for value in [json!([]), json!({"a": 1})] {
        let wish = json!({"key": "TOKEN", "value": value, "environment": team.environment});
        team.app.make(&team.editor, "variables/", wish).await.expect(400);
    }
    let wish = json!({"key": "NUMBER", "value": 42, "environment": team.environment});
    assert_eq!(
        team.app.make(&team.editor, "variables/", wish).await.expect(201).body["decrypted_value"],
        "42"
    );
}

#[sqlx::test(migrations = false)]
async fn every_reading_is_in_the_log_before_its_answer_and_writing_is_none(pool: PgPool) {
    let team = Team::start(pool).await;
    let id = team.variable("TOKEN", "x").await;
    let path = format!("variables/{id}/");
    team.app.change(&team.editor, &path, json!({"value": "y"})).await.expect(200);
    assert_eq!(readings(&team, "access.variables_read").await, 0, "authors read nothing");
    team.shown(&team.viewer).await;
    assert_eq!(readings(&team, "access.variables_read").await, 0, "viewers read nothing");
    team.shown(&team.editor).await;
    team.app.read(&team.editor, &path).await.expect(200);
    team.app.read(&team.editor, "variables/").await.expect(200);
    assert_eq!(readings(&team, "access.variables_read").await, 3);
    team.app.change(&team.editor, &path, json!({"key": "OTHER"})).await.expect(200);
    assert_eq!(readings(&team, "access.variables_read").await, 4, "a new key shows the old value");
    team.app
        .read(&team.editor, &format!("environments/{}/export/", team.environment))
        .await
        .expect(200);
    assert_eq!(readings(&team, "access.environment_exported").await, 1);
}

#[sqlx::test(migrations = false)]
async fn without_a_record_no_value_is_shown(pool: PgPool) {
    let team = Team::start(pool).await;
    let id = team.variable("TOKEN", "canary").await;
    // Nothing can be appended any more; everything can still be read.
    sqlx::query("alter table store.events add constraint full_disk check (type not like 'access.%') not valid")
        .execute(&team.app.store_pool)
        .await
        .unwrap();
    for path in [
        format!("variables/{id}/"),
        format!("environments/{}/variables/", team.environment),
        format!("environments/{}/export/", team.environment),
    ] {
        let refused = team.app.read(&team.admin, &path).await.expect(503);
        assert_eq!(refused.body["code"], "audit_unavailable", "{path}");
        assert!(!refused.body.to_string().contains("canary"));
    }
    let hidden = team.app.read(&team.viewer, &format!("variables/{id}/")).await.expect(200);
    assert_eq!(hidden.body["decrypted_value"], "[HIDDEN]", "what is not shown needs no record");
}

#[sqlx::test(migrations = false)]
async fn what_a_query_saw_before_a_removal_is_not_revealed_after_it(pool: PgPool) {
    let team = Team::start(pool).await;
    let variable = VariableId::new(team.variable("TOKEN", "x").await);
    let (reader, organization) =
        (UserId::new(team.editor.id), OrganizationId::new(team.organization));
    let seen = team.app.app.queries.organization(reader, organization).await.unwrap().unwrap();
    let path = format!("organizations/{organization}/remove_member/");
    team.app.remove(&team.admin, &path, json!({"user_id": team.editor.id})).await.expect(200);
    let origin = Origin { actor: Some(reader), ..Origin::product(team.app.clock.request_id()) };
    let read = Read { organization, revision: seen.revision, variables: vec![variable] };
    let revealed = team.app.app.commands.record_reads(&origin, &[read]).await.unwrap();
    assert!(matches!(revealed, Revealed::Stale { .. }), "{revealed:?}");
    assert_eq!(readings(&team, "access.variables_read").await, 0);
}

#[sqlx::test(migrations = false)]
async fn a_value_that_does_not_open_says_so_and_spoils_no_other(pool: PgPool) {
    let team = Team::start(pool).await;
    team.variable("BAD", "x").await;
    team.variable("GOOD", "y").await;
    sqlx::query("update read.variables set value = set_byte(value, length(value) - 1, get_byte(value, length(value) - 1) # 1) where key = 'BAD'")
        .execute(&team.app.store_pool)
        .await
        .unwrap();
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        team.shown(&team.admin).await,
        [pair("BAD", "[DECRYPTION_ERROR]"), pair("GOOD", "y")]
    );
    let path = format!("/api/core/environments/{}/export/", team.environment);
    let file = team.app.as_person(&team.admin, Method::GET, &path).send().await.unwrap();
    assert_eq!(file.headers()["x-decryption-warnings"], "1");
    assert!(file.text().await.unwrap().contains("[DECRYPTION_ERROR]"));
}

#[sqlx::test(migrations = false)]
async fn d30_no_answer_with_values_is_stored_anywhere(pool: PgPool) {
    let team = Team::start(pool).await;
    let id = team.variable("TOKEN", "x").await;
    for path in [
        "variables/".to_owned(),
        format!("variables/{id}/"),
        format!("environments/{}/variables/", team.environment),
        format!("environments/{}/export/", team.environment),
    ] {
        let request = team.app.as_person(&team.admin, Method::GET, &format!("/api/core/{path}"));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["cache-control"], "no-store", "{path}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_repeated_command_makes_one_variable(pool: PgPool) {
    let team = Team::start(pool).await;
    let wish = json!({"key": "TOKEN", "value": "x", "environment": team.environment});
    let send = |wish: Value| {
        let request = team.app.as_person(&team.editor, Method::POST, "/api/core/variables/");
        request.header("Idempotency-Key", "k1").json(&wish).send()
    };
    let first = send(wish.clone()).await.unwrap();
    let again = send(wish).await.unwrap();
    assert_eq!((first.status().as_u16(), again.status().as_u16()), (201, 201));
    let (first, again): (Value, Value) = (first.json().await.unwrap(), again.json().await.unwrap());
    assert_eq!(first["id"], again["id"]);
    let other = json!({"key": "OTHER", "value": "x", "environment": team.environment});
    assert_eq!(send(other).await.unwrap().status().as_u16(), 422);
}
