//! A3, I10: what ended on one replica is refused on another as soon as the feed has brought it there.

use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;

use super::calls::{answer, mailed_link, post, profile_status, refresh};
use crate::app::{Replica, TestApp};
use crate::person::{PASSWORD, Person};

const NEXT: &str = "four quiet words here";

/// Ends the session of `phone`, or all, on the first replica.
async fn end(app: &TestApp, laptop: &Person, phone: &Person, how: &str) {
    let done = match how {
        "sign out" => answer(app.as_person(phone, Method::POST, "/api/auth/logout/")).await,
        "end one" => {
            let claims = app.app.tokens.verify(&phone.access, app.clock.now()).unwrap().claims;
            let path = format!("/api/auth/sessions/{}/", claims.session);
            answer(app.as_person(laptop, Method::DELETE, &path)).await
        }
        "end others" => answer(app.as_person(laptop, Method::DELETE, "/api/auth/sessions/")).await,
        "new password" => {
            let body = json!({"current_password": PASSWORD, "new_password": NEXT, "confirm_new_password": NEXT});
            let call = app.as_person(laptop, Method::POST, "/api/auth/change-password/");
            answer(call.json(&body)).await
        }
        "reset" => {
            post(app, "/api/auth/password-reset/", json!({"email": phone.email})).await;
            let (uid, token) = mailed_link(app, &phone.email).await;
            let body =
                json!({"uid": uid, "token": token, "new_password": NEXT, "confirm_password": NEXT});
            post(app, "/api/auth/password-reset-confirm/", body).await
        }
        "closed" => {
            let origin = keynest_commands::Origin::product(app.clock.request_id());
            let user = keynest_domain::UserId::new(phone.id);
            app.app.commands.deactivate_user(&origin, user).await.unwrap();
            (200, json!(null))
        }
        _ => {
            let (_, second) = refresh(app, &phone.refresh).await;
            refresh(app, second["refresh"].as_str().unwrap()).await;
            app.clock.advance(keynest_domain::Lifetime::from_secs(11));
            let (status, _) = refresh(app, &phone.refresh).await;
            (if status == 400 { 200 } else { status }, json!(null))
        }
    };
    assert!(matches!(done.0, 200 | 204), "{how}: {done:?}");
}

async fn status_on(replica: &Replica, app: &TestApp, access: &str) -> u16 {
    let url = format!("http://{}/api/auth/profile/", replica.address);
    answer(app.client.get(url).bearer_auth(access)).await.0
}

#[sqlx::test(migrations = false)]
async fn a03_seven_ways_to_end_a_token_reach_the_other_replica(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let replica = app.replica().await;
    let ways = ["sign out", "end one", "end others", "new password", "reset", "closed", "theft"];
    for (n, how) in ways.into_iter().enumerate() {
        let name = format!("ann{n}");
        let laptop = app.register_active(&name).await;
        let phone = app.sign_in(&name).await;
        assert_eq!(status_on(&replica, &app, &phone.access).await, 200, "{how}");
        end(&app, &laptop, &phone, how).await;
        app.app.revocations.catch_up(app.app.commands.store()).await;
        assert_eq!(profile_status(&app, &phone.access).await, 401, "{how}");
        replica.app.revocations.catch_up(replica.app.commands.store()).await;
        assert_eq!(status_on(&replica, &app, &phone.access).await, 401, "{how}");
        let still_good = if matches!(how, "reset" | "closed") { 401 } else { 200 };
        assert_eq!(status_on(&replica, &app, &laptop.access).await, still_good, "{how}");
    }
}
