//! Authenticator apps and recovery codes.

use serde_json::json;
use sqlx::PgPool;

use super::{guarded, question, reply, signed};
use crate::app::TestApp;
use crate::auth::calls::{answer, logged, profile_status};

#[sqlx::test(migrations = false)]
async fn an_app_is_enrolled_listed_and_asked_for(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    assert_eq!(ann.codes.len(), 10);
    let (_, list) = answer(app.get("/api/auth/factors/").bearer_auth(&ann.person.access)).await;
    assert_eq!(list["results"][0]["name"], "phone");
    assert_eq!(
        (&list["results"][0]["kind"], &list["recovery_codes_left"]),
        (&json!("totp"), &json!(10))
    );
    assert!(!list.to_string().contains(ann.secret.to_base32().as_str()));
    let asked = question(&app, &ann.person).await;
    assert_eq!(asked["error"], "A second factor is required to sign in");
    assert_eq!(asked["factors"], json!(["totp", "recovery_code"]));
    let (status, told) = reply(&app, &asked, "code", ann.code(&app).into()).await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(profile_status(&app, told["access"].as_str().unwrap()).await, 200);
    assert_eq!(logged(&app, "user.totp_used").await, 1);
}

#[sqlx::test(migrations = false)]
async fn an_offer_counts_with_its_code_and_once(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = app.register_active("ann").await;
    let bob = app.register_active("bob").await;
    let (_, offer) = signed(&app, &ann.access, "/api/auth/factors/totp/", json!({})).await;
    let secret = keynest_crypto::TotpSecret::parse(offer["secret"].as_str().unwrap()).unwrap();
    let path = "/api/auth/factors/totp/confirm/";
    let body = |code: String, name: &str| json!({ "challenge": offer["challenge"], "code": code, "name": name });
    let right = || secret.code_at(super::seconds(&app));
    let far = secret.code_at(super::seconds(&app) + 3_600);
    for (access, wish, code) in [
        (&ann.access, body(far, "phone"), "code_wrong"),
        (&ann.access, body("12345x".into(), "phone"), "code_wrong"),
        (&ann.access, body(right(), " "), "validation"),
        (&bob.access, body(right(), "phone"), "challenge_not_valid"),
    ] {
        let (status, told) = signed(&app, access, path, wish).await;
        assert_eq!((status, &told["code"]), (400, &json!(code)));
    }
    assert_eq!(signed(&app, &ann.access, path, body(right(), "phone")).await.0, 201);
    let (status, told) = signed(&app, &ann.access, path, body(right(), "again")).await;
    assert_eq!((status, &told["code"]), (400, &json!("challenge_not_valid")));
    assert_eq!(logged(&app, "user.totp_enrolled").await, 1);
}

#[sqlx::test(migrations = false)]
async fn a_lost_app_is_replaced_with_a_recovery_code(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let asked = question(&app, &ann.person).await;
    let (status, told) = reply(&app, &asked, "recovery_code", ann.codes[3].clone().into()).await;
    assert_eq!(status, 200, "{told}");
    let access = told["access"].as_str().unwrap();
    let path = format!("/api/auth/factors/{}/", ann.factor);
    assert_eq!(
        answer(app.request(reqwest::Method::DELETE, &path).bearer_auth(access)).await.0,
        204
    );
    assert_eq!(
        crate::auth::calls::log_in(&app, &ann.person.email, crate::person::PASSWORD).await.0,
        200
    );
    let mails = app.deliver().await;
    for subject in ["factor was added", "codes were made", "code was used", "factor was removed"] {
        let found = mails.iter().filter(|mail| mail.subject.contains(subject)).count();
        assert_eq!(found, 1, "{subject}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_recovery_code_is_good_once_and_new_ones_kill_the_old(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let ann = guarded(&app, "ann").await;
    let asked = question(&app, &ann.person).await;
    assert_eq!(reply(&app, &asked, "recovery_code", ann.codes[0].clone().into()).await.0, 200);
    let asked = question(&app, &ann.person).await;
    let (status, told) = reply(&app, &asked, "recovery_code", ann.codes[0].clone().into()).await;
    assert_eq!((status, &told["code"]), (400, &json!("code_wrong")));
    let path = "/api/auth/factors/recovery-codes/";
    let make = || {
        app.post(path)
            .bearer_auth(&ann.person.access)
            .header("Idempotency-Key", "again")
            .json(&json!({}))
    };
    let (status, made) = answer(make()).await;
    assert_eq!(status, 201, "{made}");
    let fresh = made["recovery_codes"][0].as_str().unwrap().to_owned();
    let (_, repeated) = answer(make()).await;
    assert_eq!(repeated["recovery_codes"], json!(null), "shown once");
    assert_eq!(logged(&app, "user.recovery_codes_made").await, 2);
    let (status, _) = reply(&app, &asked, "recovery_code", ann.codes[1].clone().into()).await;
    assert_eq!(status, 400);
    assert_eq!(reply(&app, &asked, "recovery_code", fresh.into()).await.0, 200);
}
