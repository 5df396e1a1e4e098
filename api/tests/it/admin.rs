//! Administrators of the instance: what they see, what they do, and that nobody else does.

use keynest_commands::Origin;
use keynest_domain::Email;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::app::TestApp;
use crate::auth::calls::{answer, can_log_in, logged, profile_status};
use crate::core::team::Team;
use crate::person::Person;

const USERS: &str = "/api/admin/users/";
const ORGANIZATIONS: &str = "/api/admin/organizations/";

/// Every route, for somebody with an id.
fn routes(id: i64) -> [(Method, String); 4] {
    [
        (Method::GET, USERS.to_owned()),
        (Method::GET, ORGANIZATIONS.to_owned()),
        (Method::POST, format!("{USERS}{id}/deactivate/")),
        (Method::POST, format!("{USERS}{id}/reactivate/")),
    ]
}

async fn ask(app: &TestApp, person: &Person, method: Method, path: &str) -> (u16, Value) {
    answer(app.as_person(person, method, path)).await
}

async fn two(pool: PgPool) -> (TestApp, Person, Person) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    app.grant(&ann).await;
    app.catch_up().await;
    (app, ann, bob)
}

#[sqlx::test(migrations = false)]
async fn nobody_but_administrators_is_answered_and_refusals_are_recorded(pool: PgPool) {
    let (app, ann, bob) = two(pool).await;
    for (method, path) in routes(ann.id) {
        let (status, told) = ask(&app, &bob, method.clone(), &path).await;
        assert_eq!((status, &told["code"]), (403, &json!("not_administrator")), "{path}");
        let (status, told) = answer(app.request(method, &path)).await;
        assert_eq!((status, &told["code"]), (403, &json!("credentials_missing")), "{path}");
    }
    assert_eq!(profile_status(&app, &ann.access).await, 200, "nothing was done");
    // The first of each caller and code; the others are counted within the minute.
    assert_eq!(logged(&app, "refusals.access_refused").await, 2);
    for (method, path) in routes(bob.id) {
        assert_eq!(ask(&app, &ann, method, &path).await.0, 200, "{path}");
    }
}

#[sqlx::test(migrations = false)]
async fn an_administrator_sees_accounts_and_counts_and_is_a_member_of_nothing(pool: PgPool) {
    let (app, ann, bob) = two(pool).await;
    let wish = json!({ "name": "Hidden name" });
    let made = app.as_person(&bob, Method::POST, "/api/core/organizations/").json(&wish);
    let organization = answer(made).await.1["id"].as_i64().unwrap();
    app.catch_up().await;
    let (_, users) = ask(&app, &ann, Method::GET, USERS).await;
    assert_eq!(users["count"], 2);
    let shown = &users["results"];
    let account = json!({
        "id": bob.id, "email": "bob@example.com", "username": "bob", "standing": "active",
        "is_administrator": false, "created_at": shown[1]["created_at"], "last_login": shown[1]["last_login"],
    });
    assert_eq!(shown[1], account);
    assert!(shown[1]["last_login"].is_string());
    assert_eq!(shown[0]["is_administrator"], true);
    let (_, page) = ask(&app, &ann, Method::GET, &format!("{USERS}?page=2&page_size=1")).await;
    assert_eq!((&page["results"][0]["id"], &page["next"]), (&json!(bob.id), &Value::Null));

    let (_, counted) = ask(&app, &ann, Method::GET, ORGANIZATIONS).await;
    let all = counted["results"].as_array().unwrap();
    let row = all.iter().find(|row| row["id"] == organization).unwrap();
    assert_eq!(row["member_count"], 1);
    assert!(!counted.to_string().contains("Hidden"), "{counted}");
    let path = format!("/api/core/organizations/{organization}/");
    assert_eq!(ask(&app, &ann, Method::GET, &path).await.0, 404);
    let (_, profile) = ask(&app, &ann, Method::GET, "/api/auth/profile/").await;
    assert_eq!(profile["is_administrator"], true);
    let (_, profile) = ask(&app, &bob, Method::GET, "/api/auth/profile/").await;
    assert_eq!(profile["is_administrator"], false);
}

#[sqlx::test(migrations = false)]
async fn an_administrator_ends_anybodys_token_and_its_owner_is_told(pool: PgPool) {
    let team = Team::start(pool).await;
    let (app, root) = (&team.app, &team.outsider);
    app.grant(root).await;
    let (personal, mine) = app.token(&team.editor, json!({"everywhere": true})).await;
    let (service, theirs) = team.service(json!({"everywhere": true})).await;
    app.deliver().await;
    for (bearer, id, owner) in [(&personal, mine, &team.editor), (&service, theirs, &team.admin)] {
        let path = format!("/api/admin/tokens/{id}/");
        let (status, told) = ask(app, owner, Method::DELETE, &path).await;
        assert_eq!((status, &told["code"]), (403, &json!("not_administrator")), "{path}");
        assert_eq!(team.status_for(bearer).await, 200);
        assert_eq!(ask(app, root, Method::DELETE, &path).await.0, 204);
        assert_eq!(team.status_for(bearer).await, 401, "at once");
        let (status, told) = ask(app, root, Method::DELETE, &path).await;
        assert_eq!((status, &told["code"]), (404, &json!("not_found")), "{path}");
        let mail = app.mail_to(&owner.email).await;
        assert_eq!(mail.kind, "token_ended");
        assert!(mail.body_text.contains(&format!("number {id}")), "{}", mail.body_text);
    }
    assert_eq!(ask(app, root, Method::DELETE, "/api/admin/tokens/1/").await.0, 404);
    let (_, log) = ask(app, &team.editor, Method::GET, "/api/core/audit-logs/").await;
    let rows = log["results"].as_array().unwrap();
    let target = mine.to_string();
    let row = rows.iter().find(|row| row["target_id"] == target.as_str()).unwrap();
    assert_eq!(
        (&row["action"], &row["target_type"], &row["user"]),
        (&json!("token_revoke"), &json!("token"), &json!(root.id))
    );
    let sent = app.deliver().await.len();
    let (_, own) = app.token(&team.editor, json!({"everywhere": true})).await;
    let path = format!("/api/auth/tokens/{own}/");
    assert_eq!(ask(app, &team.editor, Method::DELETE, &path).await.0, 204);
    assert_eq!(app.deliver().await.len(), sent + 1, "made, and no mail for an end of one's own");
}

#[sqlx::test(migrations = false)]
async fn an_account_is_closed_and_opened_again_and_it_is_known_who_did_it(pool: PgPool) {
    let (app, ann, bob) = two(pool).await;
    let path = |verb: &str| format!("{USERS}{}/{verb}/", bob.id);
    let (status, told) = ask(&app, &ann, Method::POST, &path("deactivate")).await;
    assert_eq!((status, &told["standing"]), (200, &json!("deactivated")));
    assert_eq!(profile_status(&app, &bob.access).await, 401);
    assert!(!can_log_in(&app, &bob).await);
    let (_, told) = ask(&app, &ann, Method::POST, &path("reactivate")).await;
    assert_eq!(told["standing"], "active");
    assert_eq!(profile_status(&app, &bob.access).await, 401, "old sessions stay ended");
    assert!(can_log_in(&app, &bob).await);
    let events = app.app.commands.store().read_all(keynest_store::Position::START, 1_000).await;
    let closed = events.unwrap().into_iter().find(|it| &*it.name == "user.deactivated").unwrap();
    assert_eq!(closed.metadata.actor.map(keynest_domain::UserId::get), Some(ann.id));

    let nobody = format!("{USERS}77/deactivate/");
    assert_eq!(ask(&app, &ann, Method::POST, &nobody).await.0, 404);
    let own = format!("{USERS}{}/deactivate/", ann.id);
    let (status, told) = ask(&app, &ann, Method::POST, &own).await;
    assert_eq!((status, &told["code"]), (400, &json!("own_account")));
}

#[sqlx::test(migrations = false)]
async fn whoever_lost_it_a_moment_ago_is_refused_at_once(pool: PgPool) {
    let (app, ann, _) = two(pool).await;
    assert_eq!(ask(&app, &ann, Method::GET, USERS).await.0, 200);
    let origin = Origin::product(app.clock.request_id());
    let address = Email::parse(&ann.email).unwrap();
    app.app.commands.revoke_administrator(&origin, address).await.unwrap();
    assert_eq!(ask(&app, &ann, Method::GET, USERS).await.0, 403);
}
