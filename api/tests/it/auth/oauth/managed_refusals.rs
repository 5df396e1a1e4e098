//! Providers that are not set up: by whom, which, and when two are at it.

use keynest_api::Settings;
use keynest_domain::Lifetime;
use keynest_domain::limits::Quotas;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::managed::{KEY, PATH, add, administered, call, wish};
use super::providers::{builder, certified, github, misbehaving, oidc};
use crate::auth::calls::{MANY, answer, logged};

#[sqlx::test(migrations = false)]
async fn only_administrators_who_signed_in_lately_set_providers_up(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let bob = app.register_active("bob").await;
    assert_eq!(add(&app, &ann, &wish(KEY, &certified())).await.0, 201);
    let one = format!("{PATH}{KEY}/");
    let routes = [
        (Method::GET, PATH, json!(null)),
        (Method::POST, PATH, wish("other", &certified())),
        (Method::GET, &one, json!(null)),
        (Method::PATCH, &one, json!({"name": "Mine"})),
        (Method::DELETE, &one, json!(null)),
    ];
    for (method, path, body) in &routes {
        let (status, told) = answer(app.as_person(&bob, method.clone(), path).json(body)).await;
        assert_eq!((status, &told["code"]), (403, &json!("not_administrator")), "{method} {path}");
        let (status, told) = answer(app.request(method.clone(), path).json(body)).await;
        assert_eq!((status, &told["code"]), (403, &json!("credentials_missing")));
    }
    app.clock.advance(Lifetime::from_minutes(6));
    for (method, path, body) in &routes {
        let (status, told) = answer(app.as_person(&ann, method.clone(), path).json(body)).await;
        let expected = if *method == Method::GET { json!(null) } else { json!("step_up_required") };
        assert_eq!(told["code"], expected, "{method} {path}: {status}");
    }
    let changes = [logged(&app, "provider.changed").await, logged(&app, "provider.removed").await];
    assert_eq!((logged(&app, "provider.added").await, changes), (1, [0, 0]));
}

#[sqlx::test(migrations = false)]
async fn an_issuer_is_asked_before_it_is_accepted(pool: PgPool) {
    let mut builder = builder(pool, Vec::new());
    builder.settings.oauth.outgoing.internal.push("http://127.0.0.1:9".parse().unwrap());
    let app = builder.start().await;
    let ann = app.register_active("ann").await;
    app.grant(&ann).await;
    let (mismatch, other_host) = (misbehaving("other-document"), misbehaving("other-host"));
    for (issuer, code) in [
        ("http://login.example".to_owned(), "issuer_not_allowed"),
        ("https://127.0.0.1".to_owned(), "issuer_not_allowed"),
        ("https://[::ffff:169.254.169.254]".to_owned(), "issuer_not_allowed"),
        ("http://127.0.0.1:9".to_owned(), "issuer_unreachable"),
        (mismatch, "issuer_mismatch"),
        (format!("{}/", misbehaving("good")), "issuer_mismatch"),
        (other_host, "issuer_document_invalid"),
        (github("good"), "issuer_document_invalid"),
    ] {
        let (status, told) = add(&app, &ann, &wish(KEY, &issuer)).await;
        assert_eq!((status, &told["code"]), (400, &json!(code)), "{issuer}: {told}");
    }
    let (_, told) = add(&app, &ann, &wish(KEY, &misbehaving("other-host"))).await;
    assert!(told["detail"].as_str().unwrap().contains("https://evil.example"), "{told}");
    assert_eq!(logged(&app, "provider.added").await, 0);
    // Listed, the other host is fine; taken off the list again, it is not.
    let mut listed = wish(KEY, &misbehaving("other-host"));
    listed["origins"] = json!(["https://EVIL.example:443"]);
    let (status, told) = add(&app, &ann, &listed).await;
    assert_eq!((status, &told["origins"]), (201, &json!(["https://evil.example"])), "{told}");
    let request = app.as_person(&ann, Method::PATCH, &format!("{PATH}{KEY}/"));
    let (status, told) = answer(request.json(&json!({"origins": []}))).await;
    assert_eq!((status, &told["code"]), (400, &json!("issuer_document_invalid")));
    assert_eq!(logged(&app, "provider.changed").await, 0);
}

#[sqlx::test(migrations = false)]
async fn every_bad_field_is_named(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let bad = json!({
        "key": "Not a key", "name": "\u{7}", "issuer": "https://me@login.example?x",
        "client_id": "", "client_secret": "two\nlines", "scopes": ["a b"], "origins": ["nonsense"],
    });
    let (status, told) = add(&app, &ann, &bad).await;
    assert_eq!((status, &told["code"]), (400, &json!("validation")));
    let named: Vec<&String> = told["details"].as_object().unwrap().keys().collect();
    let all = ["client_id", "client_secret", "issuer", "key", "name", "origins", "scopes"];
    assert_eq!(named, all);
    add(&app, &ann, &wish(KEY, &certified())).await;
    for body in [
        json!({"issuer": "https://another.example"}),
        json!({"key": "another"}),
        json!({"name": " "}),
        json!({"scopes": []}),
        json!({"client_secret": "x".repeat(1_025)}),
        json!({"origins": vec!["https://a.example"; 11]}),
    ] {
        let request = app.as_person(&ann, Method::PATCH, &format!("{PATH}{KEY}/"));
        let (status, told) = answer(request.json(&body)).await;
        assert_eq!((status, &told["code"]), (400, &json!("validation")), "{body}");
    }
    assert_eq!(logged(&app, "provider.changed").await, 0);
}

#[sqlx::test(migrations = false)]
async fn what_is_configured_is_read_only_and_wins(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    assert_eq!(add(&app, &ann, &wish(KEY, &certified())).await.0, 201);
    assert_eq!(add(&app, &ann, &wish(KEY, &certified())).await.1["code"], json!("provider_known"));
    // Another process is configured with this key, and with one that is not usable.
    let own = misbehaving("good");
    let mut settings = Settings::clone(&app.app.settings);
    settings.oauth.providers = vec![oidc(KEY, &own), oidc("broken", "nonsense")];
    let configured = app.beside_with(settings).await;
    let (_, shown) = call(&configured, &ann, Method::GET, KEY).await;
    assert_eq!((&shown["issuer"], &shown["is_configured"]), (&json!(own), &json!(true)));
    let (_, all) = answer(configured.as_person(&ann, Method::GET, PATH)).await;
    let on: Vec<&Value> =
        all["providers"].as_array().unwrap().iter().map(|it| &it["is_on"]).collect();
    assert_eq!(on, [&json!(true), &json!(false)], "the stored one is overridden: {all}");
    let path = format!("/api/auth/oauth/{KEY}/start/");
    let to = configured.get(&path).send().await.unwrap();
    assert!(super::browser::location(&to).starts_with(&own));
    for key in [KEY, "broken", "google", "github"] {
        let (status, told) = add(&configured, &ann, &wish(key, &certified())).await;
        assert_eq!((status, &told["code"]), (409, &json!("provider_configured")), "{key}");
    }
    for method in [Method::PATCH, Method::DELETE] {
        let request = configured.as_person(&ann, method, &format!("{PATH}{KEY}/"));
        let (status, told) = answer(request.json(&json!({}))).await;
        assert_eq!((status, &told["code"]), (409, &json!("provider_configured")));
    }
    let removed = logged(&app, "provider.removed").await;
    assert_eq!((logged(&app, "provider.added").await, removed), (1, 0));
}

#[sqlx::test(migrations = false)]
async fn of_64_adds_of_one_key_on_two_processes_one_wins(pool: PgPool) {
    let (app, ann) = administered(pool).await;
    let other = app.beside(Quotas::none()).await;
    let body = wish(KEY, &certified());
    let sent = (0..MANY).map(|n| {
        let at = if n % 2 == 0 { &app } else { &other };
        answer(at.as_person(&ann, Method::POST, PATH).json(&body))
    });
    let told = futures::future::join_all(sent).await;
    let statuses: Vec<u16> = told.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    // Too many questions to one issuer at once are answered so; nobody else is told that it worked.
    let is_told =
        |(_, told): &&(u16, Value)| told["code"] == "provider_known" || told["code"] == "busy";
    assert_eq!(told.iter().filter(is_told).count(), MANY - 1, "{statuses:?}");
    assert_eq!(logged(&app, "provider.added").await, 1);
}
