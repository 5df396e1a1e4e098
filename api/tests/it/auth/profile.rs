//! The own account.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::answer;
use crate::app::TestApp;

const PATH: &str = "/api/auth/profile/";

#[sqlx::test(migrations = false)]
async fn the_profile_shows_the_person_nested_and_flat(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.catch_up().await;
    let (status, told) = answer(app.get(PATH).bearer_auth(&ann.access)).await;
    assert_eq!(status, 200);
    for (name, value) in told["user"].as_object().unwrap() {
        assert_eq!(&told[name], value, "{name}");
    }
    assert_eq!(told["organizations"].as_array().unwrap().len(), 1);
    assert_eq!(told["notices"], true);
}

#[sqlx::test(migrations = false)]
async fn names_and_notices_change_and_are_seen_at_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let body = json!({"first_name": "Ann", "last_name": "Archer", "notices": false, "email": "x@example.com"});
    let response = app.patch(PATH).bearer_auth(&ann.access).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers().contains_key("keynest-position"));
    let told: Value = response.json().await.unwrap();
    assert_eq!((&told["full_name"], &told["notices"]), (&json!("Ann Archer"), &json!(false)));
    assert_eq!(told["email"], "ann@example.com", "an address is not changed here");
    let (status, told) =
        answer(app.put(PATH).bearer_auth(&ann.access).json(&json!({"last_name": ""}))).await;
    assert_eq!((status, &told["full_name"]), (200, &json!("Ann")));
    let (_, told) = answer(app.get(PATH).bearer_auth(&ann.access)).await;
    assert_eq!((&told["first_name"], &told["notices"]), (&json!("Ann"), &json!(false)));
}

#[sqlx::test(migrations = false)]
async fn a_bad_name_is_told_by_field(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    for bad in [json!("a\r\nBcc: x"), json!("x".repeat(151)), json!([])] {
        let (status, told) =
            answer(app.patch(PATH).bearer_auth(&ann.access).json(&json!({"first_name": bad})))
                .await;
        assert_eq!(status, 400);
        assert!(told["details"]["first_name"][0].is_string(), "{told}");
    }
}

#[sqlx::test(migrations = false)]
async fn r19_no_token_is_403_and_a_bad_one_401(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let (status, told) = answer(app.get(PATH)).await;
    assert_eq!((status, &told["code"]), (403, &json!("credentials_missing")));
    for bad in ["undefined", "", ann.refresh.as_str(), &format!("{}A", ann.access)] {
        let (status, told) = answer(app.get(PATH).bearer_auth(bad)).await;
        assert_eq!((status, &told["code"]), (401, &json!("token_not_valid")), "{bad}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_closed_account_is_out_within_a_second_and_comes_back_with_a_new_sign_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let commands = &app.app.commands;
    let origin = keynest_commands::Origin::product(app.clock.request_id());
    let user = keynest_domain::UserId::new(ann.id);
    let closed = commands.deactivate_user(&origin, user).await.unwrap();
    app.app.revocations.wait_for(closed.position).await;
    let (status, told) = answer(app.get(PATH).bearer_auth(&ann.access)).await;
    assert_eq!((status, &told["code"]), (401, &json!("user_inactive")));
    commands.reactivate_user(&origin, user).await.unwrap();
    assert_eq!(answer(app.get(PATH).bearer_auth(&ann.access)).await.0, 401);
    let again = app.sign_in("ann").await;
    assert_eq!(answer(app.get(PATH).bearer_auth(&again.access)).await.0, 200);
}
