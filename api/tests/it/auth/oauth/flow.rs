//! The whole way, with the certified provider.

use serde_json::json;
use sqlx::PgPool;

use super::browser::{Browser, created, exchange, location};
use super::providers::{FRONTEND, account, builder, certified, misbehaving, oidc};
use crate::app::TestApp;
use crate::auth::calls::{answer, profile_status};

async fn app(pool: PgPool) -> TestApp {
    builder(pool, vec![oidc("certified", &certified())]).start().await
}

#[sqlx::test(migrations = false)]
async fn d06_somebody_new_comes_by_a_certified_provider(pool: PgPool) {
    let app = app(pool).await;
    let code = Browser::new(&app).code("certified", &account("ann")).await;
    let (status, told) = exchange(&app, &code).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["is_new_user"], json!(true));
    // Both shapes (F7).
    assert_eq!(told["tokens"]["access"], told["access"]);
    assert_eq!(told["tokens"]["refresh"], told["refresh"]);
    assert_eq!(told["user"]["email"], json!("ann@example.com"));
    assert_eq!(told["user"]["first_name"], json!("ann"));
    assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
    let again = Browser::new(&app).code("certified", &account("ann")).await;
    let (status, told) = exchange(&app, &again).await;
    assert_eq!((status, &told["is_new_user"]), (200, &json!(false)));
    assert_eq!(created(&app).await, [1, 1, 2]);
}

#[sqlx::test(migrations = false)]
async fn a_trip_carries_state_nonce_and_pkce_and_an_address_of_its_own(pool: PgPool) {
    let providers = vec![oidc("certified", &certified()), oidc("second", &misbehaving("good"))];
    let app = builder(pool, providers).start().await;
    let mut seen = Vec::new();
    for provider in ["certified", "second", "second"] {
        let response = Browser::new(&app)
            .open(&format!("http://localhost:8000/api/auth/oauth/{provider}/start/"))
            .await;
        let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("; HttpOnly; SameSite=Lax"), "{cookie}");
        let url = reqwest::Url::parse(&location(&response)).unwrap();
        let asked: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(
            (asked["code_challenge_method"].as_str(), asked["response_type"].as_str()),
            ("S256", "code")
        );
        assert_eq!(
            asked["redirect_uri"],
            format!("http://localhost:8000/api/auth/oauth/{provider}/callback/")
        );
        assert_eq!(asked["scope"], "openid email profile");
        for name in ["state", "nonce", "code_challenge"] {
            assert!(asked[name].len() >= 43, "{name}");
            assert!(!cookie.contains(&asked[name]), "the cookie tells nothing");
            seen.push(asked[name].clone());
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 9, "nothing is used twice");
}

#[sqlx::test(migrations = false)]
async fn the_cookie_belongs_to_the_host_where_there_is_tls(pool: PgPool) {
    let mut builder = builder(pool, vec![oidc("certified", &certified())]);
    builder.settings.public_url = "https://keys.example".to_owned();
    let app = builder.start().await;
    let response = app.get("/api/auth/oauth/certified/start/").send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-keynest_oauth="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[sqlx::test(migrations = false)]
async fn a_code_is_good_once_and_for_two_minutes(pool: PgPool) {
    let app = app(pool).await;
    let code = Browser::new(&app).code("certified", &account("ann")).await;
    assert_eq!(exchange(&app, &code).await.0, 200);
    let (status, told) = exchange(&app, &code).await;
    assert_eq!((status, &told["code"]), (400, &json!("oauth_code_invalid")));
    let late = Browser::new(&app).code("certified", &account("ann")).await;
    app.clock.advance(keynest_domain::Lifetime::from_minutes(2));
    assert_eq!(exchange(&app, &late).await.0, 400);
    assert_eq!(created(&app).await, [1, 1, 1]);
}

#[sqlx::test(migrations = false)]
async fn a_code_is_good_for_whoever_began_only(pool: PgPool) {
    let app = app(pool).await;
    let verifier = "a secret of the page that began";
    let challenge = keynest_api::oauth::challenge_of(verifier);
    let start =
        format!("http://localhost:8000/api/auth/oauth/certified/start/?challenge={challenge}");
    let mut browser = Browser::new(&app);
    let authorize = browser.start_at(&start, &account("ann")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let (_, code) = browser.come_back(&callback).await;
    for body in [json!({"code": code}), json!({"code": code, "verifier": "another"})] {
        let (status, told) = answer(app.post("/api/auth/oauth/exchange/").json(&body)).await;
        assert_eq!((status, &told["code"]), (400, &json!("oauth_code_invalid")));
    }
    // Nor is a code without a secret for a page that has one: it is somebody else's.
    let other = Browser::new(&app).code("certified", &account("eve")).await;
    let body = json!({"code": other, "verifier": verifier});
    assert_eq!(answer(app.post("/api/auth/oauth/exchange/").json(&body)).await.0, 400);
    assert_eq!(created(&app).await, [0, 0, 0]);
    let body = json!({"code": code, "verifier": verifier});
    assert_eq!(answer(app.post("/api/auth/oauth/exchange/").json(&body)).await.0, 200);
}

#[sqlx::test(migrations = false)]
async fn without_a_frontend_a_page_shows_the_code(pool: PgPool) {
    let mut builder = builder(pool, vec![oidc("certified", &certified())]);
    builder.settings.frontend_url = None;
    let app = builder.start().await;
    let mut browser = Browser::new(&app);
    let authorize = browser.start("certified", &account("ann")).await;
    let callback = browser.sign_in_there(&authorize).await;
    let page = browser.open(&callback).await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    let code = page.split("<pre>").nth(1).unwrap().split("</pre>").next().unwrap();
    assert_eq!(exchange(&app, code).await.0, 200);
    let page = browser.open(&callback).await;
    assert_eq!(page.status(), 400);
    assert!(page.text().await.unwrap().contains("not started in this browser"));
}

#[sqlx::test(migrations = false)]
async fn the_way_back_leads_to_one_place_only(pool: PgPool) {
    let app = app(pool).await;
    for query in [
        "next=//evil.example",
        "redirect_uri=https://evil.example",
        "error=%0d%0aLocation:https://evil.example&state=a",
    ] {
        let path = format!("/api/auth/oauth/certified/callback/?{query}");
        let response = app.get(&path).send().await.unwrap();
        assert_eq!(
            location(&response),
            format!("{FRONTEND}/auth/callback?error=oauth_state_invalid"),
            "{query}"
        );
    }
}
