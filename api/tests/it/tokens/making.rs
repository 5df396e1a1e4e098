//! Making a token: shown once, stored nowhere, found by scanners, told by mail, limited in number.

use keynest_commands::TOKENS_PER_USER_MAX;
use keynest_crypto::{BEARER_TOKEN_CHARS, BEARER_TOKEN_PATTERN};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::bearer;
use crate::app::TestApp;
use crate::core::team::Team;

#[sqlx::test(migrations = false)]
async fn a_token_is_shown_once_and_works_until_it_is_revoked(pool: PgPool) {
    let team = Team::start(pool).await;
    let (app, ann) = (&team.app, &team.admin);
    team.variable("PORT", "8080").await;
    let wish = json!({"name": "laptop", "everywhere": true, "expires_in_days": 7});
    let made = app.ask_token(ann, wish).await.expect(201);
    let text = made.body["token"].as_str().unwrap().to_owned();
    let token = bearer(ann, &text);
    assert_eq!(team.shown(&token).await, [("PORT".to_owned(), "8080".to_owned())]);
    app.catch_up().await;

    let listed = app.read(ann, "/api/auth/tokens/").await.expect(200).body;
    let row = &listed["tokens"][0];
    assert_eq!((&row["name"], &row["access"]), (&json!("laptop"), &json!("read")));
    assert_eq!((&row["everywhere"], &listed["total_count"]), (&json!(true), &json!(1)));
    assert!(row["last_used_at"].is_string() && !listed.to_string().contains(&text));

    let mail = app.mail_to(&ann.email).await;
    assert!(mail.subject.contains("token") && !mail.body_text.contains(&text), "{}", mail.subject);

    app.remove(ann, &format!("/api/auth/tokens/{}/", made.id()), Value::Null).await.expect(204);
    assert_eq!(team.status_for(&token).await, 401);
    app.remove(ann, &format!("/api/auth/tokens/{}/", made.id()), Value::Null).await.expect(404);

    let log = app.read(ann, "audit-logs/?target_type=token").await.expect(200).body;
    let actions: Vec<_> =
        log["results"].as_array().unwrap().iter().map(|row| row["action"].clone()).collect();
    assert_eq!(actions, [json!("token_revoke"), json!("token_create")]);
}

#[sqlx::test(migrations = false)]
async fn the_text_of_a_token_is_in_no_table(pool: PgPool) {
    let team = Team::start(pool.clone()).await;
    let (token, _) = team.app.token(&team.admin, json!({"everywhere": true})).await;
    let (service, _) = team.service(json!({"everywhere": true})).await;
    assert_eq!([team.status_for(&token).await, team.status_for(&service).await], [200, 200]);
    team.app.catch_up().await;
    let tables: Vec<(String,)> = sqlx::query_as(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('store', 'read')",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let mut rows = 0;
    for (table,) in tables {
        let sql = format!("select coalesce(string_agg(t::text, ' '), ''), count(*) from {table} t");
        let (all, count): (String, i64) =
            sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_one(&pool).await.unwrap();
        rows += count;
        for text in [&token.access, &service.access] {
            let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
            // Not even its random part.
            for form in [text.as_str(), &text[7..50], hex.as_str()] {
                assert!(!all.contains(form), "{table}");
            }
        }
    }
    assert!(rows > 20);
}

#[sqlx::test(migrations = false)]
async fn secret_scanners_find_tokens_by_their_form(pool: PgPool) {
    let team = Team::start(pool).await;
    assert_eq!(BEARER_TOKEN_PATTERN, r"\bkn_(?:pat|svc)_[0-9A-Za-z]{49}\b");
    let (token, _) = team.app.token(&team.admin, json!({"everywhere": true})).await;
    let (service, _) = team.service(json!({"everywhere": true})).await;
    for (text, prefix) in [(&token.access, "kn_pat_"), (&service.access, "kn_svc_")] {
        let random = text.strip_prefix(prefix).unwrap();
        assert_eq!((text.len(), random.len()), (BEARER_TOKEN_CHARS, 49));
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{random}");
    }
    let page = include_str!("../../../../docs/TOKENS.md");
    assert!(page.contains(BEARER_TOKEN_PATTERN), "docs/TOKENS.md names the pattern");
}

#[sqlx::test(migrations = false)]
async fn a_token_cut_or_changed_anywhere_is_refused(pool: PgPool) {
    let team = Team::start(pool).await;
    let (token, _) = team.app.token(&team.admin, json!({"everywhere": true})).await;
    let text = &token.access;
    let mut damaged: Vec<String> = (3..text.len()).map(|end| text[..end].to_owned()).collect();
    for at in 3..text.len() {
        let other = if text.as_bytes()[at] == b'x' { 'y' } else { 'x' };
        damaged.push(format!("{}{other}{}", &text[..at], &text[at + 1..]));
    }
    damaged.extend([format!("{text}x"), text.replace("pat", "svc"), format!("{text}{text}")]);
    for text in damaged {
        assert_eq!(team.status_for(&bearer(&team.admin, &text)).await, 401, "{text}");
        let account = team.app.read(&bearer(&team.admin, &text), "/api/auth/profile/").await;
        assert_eq!(account.status, 401, "{text}");
    }
    assert_eq!(team.status_for(&token).await, 200);
}

#[sqlx::test(migrations = false)]
async fn sixty_four_at_once_make_exactly_as_many_as_there_may_be(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let ask = |number: usize| {
        let wish = json!({"name": format!("t{number}"), "everywhere": true});
        let (app, ann) = (&app, &ann);
        async move { app.ask_token(ann, wish).await }
    };
    let answers = futures::future::join_all((0..64).map(ask)).await;
    let count = |status| answers.iter().filter(|it| it.status == status).count();
    assert_eq!((count(201), count(400)), (TOKENS_PER_USER_MAX, 64 - TOKENS_PER_USER_MAX));
    let refused = answers.iter().find(|it| it.status == 400).unwrap();
    assert_eq!(refused.body["code"], "too_many_tokens");
    app.catch_up().await;
    let listed = app.read(&ann, "/api/auth/tokens/").await.expect(200).body;
    assert_eq!(listed["total_count"], TOKENS_PER_USER_MAX);
}

#[sqlx::test(migrations = false)]
async fn a_repeat_with_the_same_key_shows_no_token(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let before = app.events_of(&ann).await;
    let ask = || async {
        let request = app.as_person(&ann, Method::POST, "/api/auth/tokens/");
        let request = request
            .header("idempotency-key", "one")
            .json(&json!({"name": "x", "everywhere": true}));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()
    };
    let (first, second) = (ask().await, ask().await);
    assert_eq!(first["id"], second["id"]);
    assert!(first["token"].is_string() && second["token"].is_null(), "{second}");
    assert_eq!(app.events_of(&ann).await, before + 1);
}

/// Who cannot be looked up is not taken for somebody without credentials, under whom the key would be another one.
#[sqlx::test(migrations = false)]
async fn a_key_stands_for_one_command_whether_its_owner_can_be_looked_up_or_not(pool: PgPool) {
    let team = Team::start(pool).await;
    let app = &team.app;
    let wish = json!({"name": "job", "everywhere": true, "access": "write"});
    let made = app.ask_token(&team.admin, wish).await.expect(201);
    let job = bearer(&team.admin, made.body["token"].as_str().unwrap());
    app.catch_up().await;
    let keyed = || async {
        let request = app.as_person(&job, Method::POST, "/api/core/variables/");
        let wish = json!({"key": "PORT", "value": "1", "environment": team.environment});
        request.header("idempotency-key", "one").json(&wish).send().await.unwrap().status()
    };
    let away = "alter table read.tokens rename to tokens_away";
    sqlx::query(away).execute(&app.store_pool).await.unwrap();
    assert!(keyed().await.is_server_error());
    let back = "alter table read.tokens_away rename to tokens";
    sqlx::query(back).execute(&app.store_pool).await.unwrap();
    assert_eq!([keyed().await, keyed().await], [201, 201]);
    let actors: Vec<String> =
        sqlx::query_scalar("select actor from store.idempotency where key = 'one'")
            .fetch_all(&app.store_pool)
            .await
            .unwrap();
    assert_eq!(actors, [format!("token:{}", made.id())]);
}

#[sqlx::test(migrations = false)]
async fn what_is_wrong_with_a_wish_is_named(pool: PgPool) {
    let team = Team::start(pool).await;
    let other = json!({"name": "Other"});
    let foreign = team.app.make(&team.outsider, "organizations/", other).await.expect(201).id();
    for (wish, field) in [
        (json!({"name": "", "everywhere": true}), "name"),
        (json!({"name": "a\u{202E}b", "everywhere": true}), "name"),
        (json!({"name": "x"}), "everywhere"),
        (json!({"name": "x", "everywhere": true, "projects": [1]}), "everywhere"),
        (json!({"name": "x", "everywhere": true, "access": "admin"}), "access"),
        (json!({"name": "x", "everywhere": true, "expires_in_days": 0}), "expires_in_days"),
        (json!({"name": "x", "everywhere": true, "expires_in_days": 367}), "expires_in_days"),
        (json!({"name": "x", "everywhere": true, "ip_ranges": ["10.0.0.0/33"]}), "ip_ranges"),
        (json!({"name": "x", "everywhere": true, "role": "admin"}), "role"),
        (json!({"name": "x", "projects": vec![1; 51]}), "organizations"),
    ] {
        let refused = team.app.ask_token(&team.admin, wish.clone()).await.expect(400).body;
        assert!(refused["details"][field].is_array(), "{wish} {refused}");
    }
    for wish in [
        json!({"name": "x", "organizations": [foreign]}),
        json!({"name": "x", "projects": [7]}),
        json!({"name": "x", "environments": [team.environment, 7]}),
    ] {
        team.app.ask_token(&team.admin, wish).await.expect(404);
    }
    let path = format!("organizations/{}/tokens/", team.organization);
    let admin = json!({"name": "x", "everywhere": true, "role": "admin"});
    team.app.make(&team.admin, &path, admin).await.expect(400);
    // A service's places are in its own organization.
    let own = team.app.read(&team.admin, "organizations/").await.expect(200).body;
    let personal = own["results"].as_array().unwrap().iter();
    let personal = personal.map(|row| &row["id"]).find(|id| **id != team.organization).unwrap();
    let wish = json!({"name": "x", "organizations": [personal]});
    team.app.make(&team.admin, &path, wish).await.expect(404);
}

#[sqlx::test(migrations = false)]
async fn making_one_asks_for_a_fresh_sign_in(pool: PgPool) {
    let team = Team::start(pool).await;
    team.app.clock.advance(keynest_domain::Lifetime::from_minutes(6));
    let wish = json!({"name": "x", "everywhere": true});
    let refused = team.app.ask_token(&team.admin, wish.clone()).await.expect(403).body;
    assert_eq!(refused["code"], "step_up_required");
    let path = format!("organizations/{}/tokens/", team.organization);
    let refused = team.app.make(&team.admin, &path, wish).await.expect(403).body;
    assert_eq!(refused["code"], "step_up_required");
}
