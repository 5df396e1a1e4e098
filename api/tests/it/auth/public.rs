//! Routes for everybody.

use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, mailed_link};
use crate::app::TestApp;
use crate::person::{PASSWORD, registration};

#[sqlx::test(migrations = false)]
async fn r06_public_endpoints_ignore_a_bad_bearer(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for bearer in ["undefined", "eyJhbGciOiJub25lIn0.e30."] {
        let name = if bearer == "undefined" { "ann" } else { "bob" };
        let email = format!("{name}@example.com");
        let call = |path: &str, body| answer(app.post(path).bearer_auth(bearer).json(&body));
        assert_eq!(call("/api/auth/register/", registration(name)).await.0, 201);
        assert_eq!(call("/api/auth/activation/resend/", json!({"email": email})).await.0, 200);
        let (uid, token) = mailed_link(&app, &email).await;
        assert_eq!(call("/api/auth/activate/", json!({"uid": uid, "token": token})).await.0, 200);
        let (status, told) =
            call("/api/auth/login/", json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(status, 200);
        let refresh = json!({"refresh": told["refresh"]});
        assert_eq!(call("/api/auth/token/refresh/", refresh).await.0, 200);
        assert_eq!(call("/api/auth/password-reset/", json!({"email": email})).await.0, 200);
        let (uid, token) = mailed_link(&app, &email).await;
        let new = "four quiet words here";
        let body =
            json!({"uid": uid, "token": token, "new_password": new, "confirm_password": new});
        assert_eq!(call("/api/auth/password-reset-confirm/", body).await.0, 200);
        assert_eq!(answer(app.get("/api/auth/status/").bearer_auth(bearer)).await.0, 200);
        assert_eq!(answer(app.get("/api/auth/config/").bearer_auth(bearer)).await.0, 200);
    }
}

#[sqlx::test(migrations = false)]
async fn public_answers_say_nothing_of_the_log_and_are_never_stored(pool: PgPool) {
    let app = TestApp::start(pool).await;
    for (path, body) in [
        ("/api/auth/register/", registration("ann")),
        ("/api/auth/register", registration("ann")),
        ("/api/auth/login", json!({"email": "ann@example.com", "password": PASSWORD})),
        ("/api/auth/password-reset", json!({"email": "ann@example.com"})),
    ] {
        let response = app.post(path).json(&body).send().await.unwrap();
        assert!(response.status().as_u16() < 404, "{path} exists with and without a slash");
        assert!(!response.headers().contains_key("keynest-position"), "{path}");
        assert_eq!(response.headers()["cache-control"], "no-store", "{path}");
    }
}
