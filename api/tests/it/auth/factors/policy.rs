//! An organization may require a second factor, and a fresh authentication for what cannot be undone.

use keynest_domain::Lifetime;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Guarded, guarded, question, reply, signed};
use crate::app::TestApp;
use crate::auth::calls::{answer, logged};
use crate::person::{PASSWORD, Person};

/// Ann's session with the second factor.
async fn signed_in(app: &TestApp, ann: &Guarded) -> Person {
    let asked = question(app, &ann.person).await;
    let (status, told) = reply(app, &asked, "code", ann.code(app).into()).await;
    assert_eq!(status, 200, "{told}");
    Person { access: told["access"].as_str().unwrap().to_owned(), ..ann.person.clone() }
}

async fn team(app: &TestApp, ann: &Person) -> i64 {
    let body = json!({ "name": "Acme", "description": "" });
    let (status, made) = signed(app, &ann.access, "/api/core/organizations/", body).await;
    assert_eq!(status, 201, "{made}");
    made["id"].as_i64().unwrap()
}

async fn ask(app: &TestApp, ann: &Person, id: i64, policy: Value) -> (u16, Value) {
    let path = format!("/api/core/organizations/{id}/security/");
    answer(app.as_person(ann, Method::PATCH, &path).json(&policy)).await
}

fn needs_factor(told: &(u16, Value)) -> bool {
    told.0 == 403 && told.1["code"] == "second_factor_required_by_organization"
}

#[sqlx::test(migrations = false)]
async fn an_admin_without_a_second_factor_cannot_require_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let id = team(&app, &ann.person).await;
    let on = json!({ "require_second_factor": true });
    let (status, told) = ask(&app, &ann.person, id, on.clone()).await;
    assert_eq!(
        (status, &told["code"]),
        (400, &json!("own_lock_out")),
        "signed in before she enrolled"
    );
    let again = signed_in(&app, &ann).await;
    let (status, told) = ask(&app, &again, id, on).await;
    assert_eq!((status, &told["require_second_factor"]), (200, &json!(true)), "{told}");
}

#[sqlx::test(migrations = false)]
async fn members_come_in_with_a_second_factor_and_not_without(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let id = team(&app, &ann.person).await;
    let inside = signed_in(&app, &ann).await;
    assert_eq!(ask(&app, &inside, id, json!({ "require_second_factor": true })).await.0, 200);
    let outside = &ann.person;
    let path = format!("/api/core/organizations/{id}/");
    for person in [outside, &inside] {
        let is_outside = person.access == outside.access;
        let read = answer(app.as_person(person, Method::GET, &path)).await;
        assert_eq!(needs_factor(&read), is_outside, "{read:?}");
        let body = json!({ "name": "Web", "organization": id });
        let made = signed(&app, &person.access, "/api/core/projects/", body).await;
        assert_eq!(needs_factor(&made), is_outside, "{made:?}");
        let list = answer(app.as_person(person, Method::GET, "/api/core/organizations/")).await;
        assert!(list.1.to_string().contains("Acme"), "the list shows that it exists");
    }
    assert_eq!(logged(&app, "project.created").await, 1);
}

#[sqlx::test(migrations = false)]
async fn ending_an_organization_asks_for_a_fresh_authentication_where_it_says_so(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let id = team(&app, &ann).await;
    assert_eq!(ask(&app, &ann, id, json!({ "step_up": true })).await.0, 200);
    app.clock.advance(Lifetime::from_minutes(5));
    let path = format!("/api/core/organizations/{id}/");
    let end = || answer(app.as_person(&ann, Method::DELETE, &path));
    let (status, told) = end().await;
    assert_eq!((status, &told["code"]), (403, &json!("step_up_required")));
    let again = json!({ "password": PASSWORD });
    assert_eq!(signed(&app, &ann.access, "/api/auth/reauthenticate/", again).await.0, 200);
    assert_eq!(end().await.0, 204);
}
