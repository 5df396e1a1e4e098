//! The own account: erased, closed, copied.

use keynest_crypto::Subject;
use keynest_domain::{Lifetime, UserId};
use keynest_workers::FAREWELL_KEPT;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::*;
use crate::app::TestApp;
use crate::person::{PASSWORD, Person, link_path, registration};

const ACCOUNT: &str = "/api/auth/account/";
const DEACTIVATE: &str = "/api/auth/account/deactivate/";
const EXPORT: &str = "/api/auth/account/export/";
/// In no name of the product, and in every name of the person who is forgotten.
const CANARY: &str = "quetzalcoatl";

async fn erase(app: &TestApp, person: &Person) -> (u16, Value) {
    answer(app.as_person(person, Method::DELETE, ACCOUNT)).await
}

async fn make(app: &TestApp, person: &Person, path: &str, body: Value) -> Value {
    let request = app.as_person(person, Method::POST, &format!("/api/core/{path}")).json(&body);
    let (status, made) = answer(request).await;
    assert_eq!(status, 201, "{path}: {made}");
    made
}

async fn organization(app: &TestApp, admin: &Person, name: &str) -> i64 {
    make(app, admin, "organizations/", json!({"name": name})).await["id"].as_i64().unwrap()
}

/// Invites somebody who has an account, and lets them accept.
async fn joins(app: &TestApp, admin: &Person, organization: i64, person: &Person, role: &str) {
    let path = format!("organizations/{organization}/invite_member/");
    make(app, admin, &path, json!({"email": person.email, "role": role})).await;
    let path = link_path(&app.mail_to(&person.email).await.body_text);
    let token = path.trim_matches('/').rsplit('/').next().unwrap().to_owned();
    let accepted = post(app, "/api/auth/invitations/accept/", json!({ "token": token })).await;
    assert_eq!(accepted.0, 200, "{}", accepted.1);
}

/// Everybody who shows what projections are and what a rebuild makes of them.
pub async fn assert_rebuilt_equals_live(app: &TestApp) {
    app.catch_up().await;
    for projection in keynest_projections::all() {
        for table in app.projections.compare_with_rebuild(projection.name()).await.unwrap() {
            assert!(table.is_equal(), "{table:?}");
        }
    }
}

/// Tables with a row that has the text anywhere, in clear or as bytes.
async fn tables_with(app: &TestApp, text: &str) -> Vec<String> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname in ('store', 'read') order by 1",
    )
    .fetch_all(&app.store_pool)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    let bytes: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let mut found = Vec::new();
    for table in tables {
        let statement = format!(
            "select exists (select from {table} t where t::text ilike '%{text}%' or t::text ilike '%{bytes}%')"
        );
        let statement = sqlx::query_scalar::<_, bool>(sqlx::AssertSqlSafe(statement));
        if statement.fetch_one(&app.store_pool).await.unwrap() {
            found.push(table);
        }
    }
    found
}

/// Data keys of these subjects that can still open something.
async fn living_keys(app: &TestApp, like: &str) -> Vec<String> {
    sqlx::query_scalar(
        "select name from store.data_keys where name like $1 and destroyed_at is null order by 1",
    )
    .bind(like)
    .fetch_all(&app.store_pool)
    .await
    .unwrap()
}

/// The person of the canary, whose every name has it.
async fn canary(app: &TestApp) -> Person {
    let mut body = registration(CANARY);
    body["first_name"] = json!(format!("First {CANARY}"));
    body["last_name"] = json!(format!("Last {CANARY}"));
    assert_eq!(post(app, "/api/auth/register/", body).await.0, 201);
    app.activate_by_mail(&format!("{CANARY}@example.com")).await;
    app.sign_in(CANARY).await
}

#[sqlx::test(migrations = false)]
async fn of_an_erased_person_nothing_is_left_in_any_row_or_under_any_key(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (boss, person) = (app.register_active("boss").await, canary(&app).await);
    let team = organization(&app, &boss, "Acme").await;
    joins(&app, &boss, team, &person, "editor").await;
    make(&app, &person, "projects/", json!({"name": "Shop", "organization": team})).await;
    let other = organization(&app, &boss, "Other").await;
    let pending = format!("organizations/{other}/invite_member/");
    make(&app, &boss, &pending, json!({"email": person.email})).await;
    let own = organization(&app, &person, &format!("House of {CANARY}")).await;
    let wrong = log_in(&app, &person.email, "wrong guess 1").await;
    assert_eq!(wrong.0, 400);
    app.deliver().await;
    app.catch_up().await;
    let before = tables_with(&app, CANARY).await;
    for table in ["read.users", "read.audit_log", "read.invitations", "read.organizations"] {
        assert!(before.iter().any(|it| it == table), "{table} not in {before:?}");
    }

    let (status, told) = erase(&app, &person).await;
    assert_eq!(status, 200, "{told}");
    let farewell = app.mail_to(&person.email).await;
    assert_eq!(farewell.subject, "Your KeyNest account was deleted");
    app.tidy_up().await;
    app.catch_up().await;
    // The development mailbox stands for the mailboxes outside: what was sent was sent.
    let mailbox = ["store.mailbox_messages", "store.mailbox"];
    let left = tables_with(&app, CANARY).await;
    assert!(left.iter().all(|it| mailbox.contains(&it.as_str())), "{left:?}");
    for subject in [format!("user:{}", person.id), format!("farewell:{}", person.id)] {
        assert_eq!(living_keys(&app, &subject).await, Vec::<String>::new());
    }
    assert_eq!(living_keys(&app, "invitation:%").await, Vec::<String>::new());
    assert_eq!(living_keys(&app, &format!("organization:{own}")).await, Vec::<String>::new());
    assert_rebuilt_equals_live(&app).await;

    let (_, projects) = answer(app.as_person(&boss, Method::GET, "/api/core/projects/")).await;
    assert_eq!(projects["results"][0]["created_by_name"], "Deleted user", "{projects}");
    let path = format!("/api/core/organizations/{team}/members/");
    let (_, members) = answer(app.as_person(&boss, Method::GET, &path)).await;
    assert!(!members.to_string().contains(&person.id.to_string()), "{members}");
    let audit = format!("/api/core/audit-logs/?user={}", person.id);
    let (_, audit) = answer(app.as_person(&boss, Method::GET, &audit)).await;
    assert_eq!(audit["results"][0]["user_name"], "Deleted user", "{audit}");
}

#[sqlx::test(migrations = false)]
async fn whoever_is_erased_is_nobody_at_once_and_may_come_again_as_somebody_new(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let laptop = app.register_active("ann").await;
    let phone = app.sign_in("ann").await;
    assert_eq!(erase(&app, &laptop).await.0, 200);
    for person in [&laptop, &phone] {
        assert_eq!(profile_status(&app, &person.access).await, 401);
        assert_eq!(refresh(&app, &person.refresh).await.0, 400);
        assert_eq!(erase(&app, person).await.0, 401);
    }
    let (status, told) = log_in(&app, &laptop.email, PASSWORD).await;
    let (unknown_status, unknown) = log_in(&app, "nobody@example.com", PASSWORD).await;
    assert_eq!((status, &told["code"]), (unknown_status, &unknown["code"]));
    let again = app.register_active("ann").await;
    assert_ne!(again.id, laptop.id);
    assert_eq!(profile_status(&app, &again.access).await, 200);
    assert_rebuilt_equals_live(&app).await;
}

#[sqlx::test(migrations = false)]
async fn the_last_admin_of_a_shared_team_is_told_which_teams_need_another(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let (acme, zoo) =
        (organization(&app, &ann, "Acme").await, organization(&app, &ann, "Zoo").await);
    organization(&app, &ann, "Alone").await;
    for team in [acme, zoo] {
        joins(&app, &ann, team, &bob, "editor").await;
    }
    let (status, told) = erase(&app, &ann).await;
    assert_eq!((status, &told["code"]), (400, &json!("last_admin")), "{told}");
    let needing = json!([{"id": acme, "name": "Acme"}, {"id": zoo, "name": "Zoo"}]);
    assert_eq!(told["organizations"], needing);
    assert_eq!(profile_status(&app, &ann.access).await, 200, "nothing was done");
    for team in [acme, zoo] {
        let path = format!("/api/core/organizations/{team}/update_member_role/");
        let body = json!({"user_id": bob.id, "role": "admin"});
        let (status, told) = answer(app.as_person(&ann, Method::PATCH, &path).json(&body)).await;
        assert_eq!(status, 200, "{told}");
    }
    assert_eq!(erase(&app, &ann).await.0, 200);
    let (_, teams) = answer(app.as_person(&bob, Method::GET, "/api/core/organizations/")).await;
    assert_eq!(teams["count"], 3, "Bob's own and the two shared ones: {teams}");
}

#[sqlx::test(migrations = false)]
async fn all_of_it_asks_for_a_fresh_authentication(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    app.clock.advance(Lifetime::from_minutes(6));
    let calls = [(Method::DELETE, ACCOUNT), (Method::POST, DEACTIVATE), (Method::GET, EXPORT)];
    for (method, path) in calls.clone() {
        let (status, told) = answer(app.as_person(&ann, method, path)).await;
        assert_eq!((status, &told["code"]), (403, &json!("step_up_required")), "{path}: {told}");
    }
    let body = json!({ "current_password": PASSWORD });
    let request = app.as_person(&ann, Method::POST, "/api/auth/reauthenticate/").json(&body);
    assert_eq!(answer(request).await.0, 200);
    for (method, path) in calls.into_iter().rev() {
        if path != DEACTIVATE {
            assert_eq!(answer(app.as_person(&ann, method, path)).await.0, 200, "{path}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn a_last_mail_that_cannot_be_sent_is_forgotten_in_the_end(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let mails = app.deliver().await.len();
    assert_eq!(erase(&app, &ann).await.0, 200);
    let farewell = format!("farewell:{}", ann.id);
    app.tidy_up().await;
    assert_eq!(
        living_keys(&app, &farewell).await,
        std::slice::from_ref(&farewell),
        "still to be sent"
    );
    app.clock.advance(FAREWELL_KEPT);
    app.clock.advance(Lifetime::from_minutes(1));
    app.tidy_up().await;
    assert_eq!(living_keys(&app, &farewell).await, Vec::<String>::new());
    assert_eq!(app.deliver().await.len(), mails, "no address, no mail, no error");
    let key = app.app.commands.keyring().key_of(Subject::User(UserId::new(ann.id))).await.unwrap();
    assert!(key.is_some(), "its row stays, so that it is never made again");
}

#[sqlx::test(migrations = false)]
async fn nobody_gets_in_while_or_after_an_account_is_erased(pool: PgPool) {
    let app = std::sync::Arc::new(TestApp::start(pool).await);
    let (boss, ann) = (app.register_active("boss").await, app.register_active("ann").await);
    let team = organization(&app, &boss, "Acme").await;
    joins(&app, &boss, team, &ann, "editor").await;
    let zoo = organization(&app, &boss, "Zoo").await;
    let invite = format!("/api/core/organizations/{zoo}/invite_member/");
    make(&app, &boss, &format!("organizations/{zoo}/invite_member/"), json!({"email": ann.email}))
        .await;
    let path = link_path(&app.mail_to(&ann.email).await.body_text);
    let token = path.trim_matches('/').rsplit('/').next().unwrap().to_owned();
    let mut accesses = tokio::task::JoinSet::new();
    for number in 0..MANY {
        let (app, boss, ann) = (app.clone(), boss.clone(), ann.clone());
        let (invite, token) = (invite.clone(), token.clone());
        accesses.spawn(async move {
            let (status, told) = match number % 8 {
                0 => erase(&app, &ann).await,
                1 | 2 => log_in(&app, &ann.email, PASSWORD).await,
                3 => refresh(&app, &ann.refresh).await,
                4 => post(&app, "/api/auth/invitations/accept/", json!({ "token": token })).await,
                5 => {
                    let body = json!({"email": ann.email});
                    answer(app.as_person(&boss, Method::POST, &invite).json(&body)).await
                }
                6 => {
                    let body = json!({"name": format!("Late {number}")});
                    let made = app.as_person(&ann, Method::POST, "/api/core/organizations/");
                    answer(made.json(&body)).await
                }
                _ => {
                    let body = json!({"first_name": "Late"});
                    answer(app.as_person(&ann, Method::PATCH, "/api/auth/profile/").json(&body))
                        .await
                }
            };
            assert!(status < 500, "{number}: {told}");
            (number % 8 == 0 && status == 200, told["access"].as_str().map(str::to_owned))
        });
    }
    let (mut erased, mut tokens) = (0, vec![ann.access.clone()]);
    while let Some(done) = accesses.join_next().await {
        let (is_erased, access) = done.unwrap();
        erased += usize::from(is_erased);
        tokens.extend(access);
    }
    assert!(erased >= 1, "somebody erased it");
    for access in &tokens {
        assert_eq!(profile_status(&app, access).await, 401);
    }
    assert_eq!(log_in(&app, &ann.email, PASSWORD).await.0, 400);
    app.tidy_up().await;
    app.catch_up().await;
    let places: i64 =
        sqlx::query_scalar("select count(*) from read.memberships where user_id = $1")
            .bind(ann.id)
            .fetch_one(&app.store_pool)
            .await
            .unwrap();
    assert_eq!(places, 0);
    assert_rebuilt_equals_live(&app).await;
}

#[sqlx::test(migrations = false)]
async fn a_closed_account_is_opened_by_an_administrator_and_keeps_everything(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (root, ann) = (app.register_active("root").await, app.register_active("ann").await);
    app.grant(&root).await;
    let phone = app.sign_in("ann").await;
    let (status, told) = answer(app.as_person(&ann, Method::POST, DEACTIVATE)).await;
    assert_eq!(status, 200, "{told}");
    for person in [&ann, &phone] {
        assert_eq!(profile_status(&app, &person.access).await, 401);
        assert_eq!(refresh(&app, &person.refresh).await.0, 400);
    }
    assert!(!can_log_in(&app, &ann).await);
    assert_eq!(app.mail_to(&ann.email).await.subject, "Your KeyNest account was closed");
    let path = format!("/api/admin/users/{}/reactivate/", ann.id);
    assert_eq!(answer(app.as_person(&root, Method::POST, &path)).await.0, 200);
    assert!(can_log_in(&app, &ann).await);
    assert_eq!(profile_status(&app, &ann.access).await, 401, "old sessions stay dead");
    let (status, told) = answer(app.as_person(&root, Method::POST, DEACTIVATE)).await;
    assert_eq!((status, &told["code"]), (400, &json!("own_account")));
}

#[sqlx::test(migrations = false)]
async fn a_copy_has_everything_of_the_person_and_nothing_of_others(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (boss, ann) = (app.register_active("boss").await, app.register_active("ann").await);
    let team = organization(&app, &boss, "Acme").await;
    joins(&app, &boss, team, &ann, "admin").await;
    let invite = format!("organizations/{team}/invite_member/");
    make(&app, &ann, &invite, json!({"email": "eve@example.com"})).await;
    make(&app, &boss, &invite, json!({"email": "secret@example.com"})).await;
    let response = app.as_person(&ann, Method::GET, EXPORT).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let file = "attachment; filename=\"keynest-account.json\"";
    assert_eq!(response.headers()["content-disposition"], file);
    let copy: Value = response.json().await.unwrap();
    assert_eq!(copy["profile"]["user"]["email"], "ann@example.com");
    assert_eq!(copy["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(copy["memberships"].as_array().unwrap().len(), 2, "{copy}");
    let invitations = copy["invitations"].as_array().unwrap();
    let known: Vec<_> =
        invitations.iter().map(|it| (it["direction"].as_str(), it["email"].as_str())).collect();
    assert!(known.contains(&(Some("sent"), Some("eve@example.com"))), "{known:?}");
    assert!(known.contains(&(Some("received"), Some("ann@example.com"))), "{known:?}");
    assert_eq!(known.len(), 2);
    let actions: Vec<_> = copy["audit_log"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["action"].as_str().unwrap())
        .collect();
    for action in ["export", "login", "register", "activate", "accept", "create"] {
        assert!(actions.contains(&action), "{action} not in {actions:?}");
    }
    assert!(!copy.to_string().contains("secret@example.com"));
}
