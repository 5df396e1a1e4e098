//! How often tokens may be used: each has its own count, besides its bearer's.

use keynest_api::throttle::ThrottleLimits;
use keynest_domain::Lifetime;
use keynest_domain::limits::{Policy, Quotas};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::TestApp;
use crate::auth::throttles::standing;
use crate::core::team::Team;
use crate::person::Person;

async fn team(pool: PgPool, quotas: Quotas) -> Team {
    let mut builder = TestApp::builder(pool);
    builder.settings.throttles = ThrottleLimits { quotas, ..ThrottleLimits::default() };
    Team::of(builder.start().await).await
}

/// One call with whatever the bearer has.
async fn used(app: &TestApp, bearer: &Person, organization: i64) -> Response {
    let path = format!("/api/core/organizations/{organization}/");
    app.as_person(bearer, Method::GET, &path).send().await.unwrap()
}

/// Fails unless it is refused by this policy, truly; answers the seconds to wait.
async fn wait_of(refused: Response, policy: &str) -> u32 {
    let (left, wait) = standing(&refused, policy);
    let retry: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!((refused.status().as_u16(), left), (429, 0));
    assert!((1..=3_600).contains(&wait) && retry >= wait, "{wait} {retry}");
    let told: Value = refused.json().await.unwrap();
    assert_eq!(
        (&told["code"], &told["violated-policies"]),
        (&json!("throttled"), &json!([policy]))
    );
    wait
}

#[sqlx::test(migrations = false)]
async fn a_token_over_its_limit_waits_and_no_other_token_does(pool: PgPool) {
    let quotas = Quotas::none().with(Policy::Token, 3).with(Policy::User, 1_000);
    let team = team(pool, quotas).await;
    let Team { app, admin, organization, .. } = &team;
    let (one, _) = app.token(admin, json!({"everywhere": true})).await;
    let (other, _) = app.token(admin, json!({"everywhere": true})).await;
    let (robot, _) = team.service(json!({"everywhere": true, "role": "viewer"})).await;
    app.catch_up().await;
    let mut last_of_person = u32::MAX;
    for left in [2, 1, 0] {
        let answer = used(app, &one, *organization).await;
        assert_eq!((answer.status().as_u16(), standing(&answer, "token").0), (200, left));
        let of_person = standing(&answer, "user").0;
        assert!(of_person < last_of_person, "the person's own count goes on");
        last_of_person = of_person;
        let policy = answer.headers()["ratelimit-policy"].to_str().unwrap();
        assert_eq!(policy, "\"token\";q=3;w=3600, \"user\";q=1000;w=3600");
    }
    let wait = wait_of(used(app, &one, *organization).await, "token").await;
    // A route that takes no token counts as well, or it would be a way to ask on for ever.
    let barred = app.as_person(&one, Method::GET, "/api/auth/sessions/").send().await.unwrap();
    wait_of(barred, "token").await;
    for bearer in [&other, &robot] {
        let answer = used(app, bearer, *organization).await;
        assert_eq!((answer.status().as_u16(), standing(&answer, "token").0), (200, 2));
    }
    let session = used(app, admin, *organization).await;
    assert_eq!(session.status(), 200);
    assert!(!session.headers()["ratelimit-policy"].to_str().unwrap().contains("token"));
    app.clock.advance(Lifetime::from_secs(wait));
    let again = used(app, &one, *organization).await;
    assert_eq!(again.status(), 200);
}

#[sqlx::test(migrations = false)]
async fn a_persons_limit_holds_over_all_tokens_and_sessions_and_for_nobody_else(pool: PgPool) {
    let team = team(pool, Quotas::none()).await;
    let Team { admin, editor, organization, .. } = &team;
    let (one, _) = team.app.token(admin, json!({"everywhere": true})).await;
    let (other, _) = team.app.token(admin, json!({"everywhere": true})).await;
    team.app.catch_up().await;
    let app = team.app.beside(Quotas::none().with(Policy::User, 4)).await;
    for (bearer, left) in [(&one, 3), (&other, 2), (admin, 1), (&one, 0)] {
        let answer = used(&app, bearer, *organization).await;
        assert_eq!((answer.status().as_u16(), standing(&answer, "user").0), (200, left));
    }
    for bearer in [&one, &other, admin] {
        wait_of(used(&app, bearer, *organization).await, "user").await;
    }
    assert_eq!(standing(&used(&app, editor, *organization).await, "user").0, 3);
}

#[sqlx::test(migrations = false)]
async fn what_an_administrator_changes_holds_for_tokens_on_every_process(pool: PgPool) {
    let quotas = Quotas::none().with(Policy::Token, 100);
    let team = team(pool, quotas).await;
    let Team { app, admin, organization, .. } = &team;
    app.grant(admin).await;
    let (one, _) = app.token(admin, json!({"everywhere": true})).await;
    app.catch_up().await;
    let second = app.beside(quotas).await;
    assert_eq!(standing(&used(&second, &one, *organization).await, "token").0, 99);
    let limits = json!({"limits": {"token": {"quota": 2, "window_seconds": 60}}});
    app.change(admin, "/api/admin/limits/", limits).await.expect(200);
    // The other process follows the log; nobody tells it.
    let followed = async {
        while second.app.throttle.changed().changed(Policy::Token, None).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), followed).await.unwrap();
    let answers =
        [used(&second, &one, *organization).await, used(&second, &one, *organization).await];
    let told = answers[0].headers()["ratelimit-policy"].to_str().unwrap();
    assert_eq!(told, "\"token\";q=2;w=60");
    assert_eq!(answers.map(|it| it.status().as_u16()).iter().max(), Some(&429));
}
