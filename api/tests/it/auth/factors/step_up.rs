//! A stolen session is not enough to change factors.

use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Guarded, guarded, signed};
use crate::app::TestApp;
use crate::auth::calls::{answer, logged};
use crate::person::PASSWORD;

const PATH: &str = "/api/auth/reauthenticate/";

async fn remove(app: &TestApp, ann: &Guarded) -> (u16, Value) {
    let path = format!("/api/auth/factors/{}/", ann.factor);
    answer(app.request(Method::DELETE, &path).bearer_auth(&ann.person.access)).await
}

#[sqlx::test(migrations = false)]
async fn a_stolen_session_changes_no_factor(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    app.clock.advance(Lifetime::from_minutes(5));
    let access = &ann.person.access;
    for path in ["totp/", "passkeys/options/", "recovery-codes/"] {
        let (status, told) =
            signed(&app, access, &format!("/api/auth/factors/{path}"), json!({})).await;
        assert_eq!((status, &told["code"]), (403, &json!("step_up_required")), "{path}");
    }
    assert_eq!(remove(&app, &ann).await.1["code"], "step_up_required");
    assert_eq!(logged(&app, "user.factor_removed").await, 0);
}

#[sqlx::test(migrations = false)]
async fn password_and_code_open_it_for_5_minutes_and_neither_alone(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    app.clock.advance(Lifetime::from_minutes(5));
    let access = &ann.person.access;
    for (body, code) in [
        (json!({"password": PASSWORD}), "second_factor_required"),
        (json!({"code": ann.code(&app)}), "validation"),
        (json!({"password": "wrong guess", "code": ann.code(&app)}), "validation"),
        (json!({"password": PASSWORD, "code": ann.wrong(&app)}), "code_wrong"),
        (json!({}), "validation"),
    ] {
        let (status, told) = signed(&app, access, PATH, body).await;
        assert_eq!((status, &told["code"]), (400, &json!(code)), "{told}");
    }
    assert_eq!(remove(&app, &ann).await.0, 403);
    let right = json!({"password": PASSWORD, "code": ann.code(&app)});
    assert_eq!(signed(&app, access, PATH, right.clone()).await.0, 200);
    assert_eq!(signed(&app, access, PATH, right).await.1["code"], "code_wrong", "used up");
    assert_eq!(remove(&app, &ann).await.0, 204);
}

#[sqlx::test(migrations = false)]
async fn without_a_factor_the_password_is_asked_for_and_guesses_lock(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_minutes(5));
    let offer = "/api/auth/factors/totp/";
    assert_eq!(signed(&app, &ann.access, offer, json!({})).await.0, 403);
    for nothing in
        [json!({"passkey": {}}), json!({"code": "123456"}), json!({"recovery_code": "x"})]
    {
        assert_eq!(signed(&app, &ann.access, PATH, nothing).await.0, 400, "there is no factor");
    }
    assert_eq!(signed(&app, &ann.access, offer, json!({})).await.0, 403);
    assert_eq!(signed(&app, &ann.access, PATH, json!({"password": PASSWORD})).await.0, 200);
    assert_eq!(signed(&app, &ann.access, offer, json!({})).await.0, 200);
    for _ in 0..5 {
        let (status, told) =
            signed(&app, &ann.access, PATH, json!({"password": "wrong guess"})).await;
        assert_eq!(status, 400);
        assert!(told["current_password"][0].is_string(), "{told}");
    }
    let (status, told) = signed(&app, &ann.access, PATH, json!({"password": PASSWORD})).await;
    assert_eq!((status, &told["code"]), (429, &json!("locked_out")));
}
