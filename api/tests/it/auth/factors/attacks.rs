//! Replay and guessing, in parallel (THREATS A11).

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Guarded, guarded, question, reply};
use crate::app::TestApp;
use crate::auth::calls::{MANY, logged, race};

/// As many open questions as there are racers: each a sign-in of its own with the right password.
async fn questions(app: &Arc<TestApp>, ann: &Guarded) -> Arc<Vec<Value>> {
    let mut asked = Vec::new();
    for _ in 0..MANY {
        asked.push(question(app, &ann.person).await);
    }
    Arc::new(asked)
}

#[sqlx::test(migrations = false)]
async fn one_code_in_64_sign_ins_at_once_opens_one_session(pool: PgPool) {
    let app = Arc::new(TestApp::start(pool).await);
    let ann = guarded(&app, "ann").await;
    let asked = questions(&app, &ann).await;
    let before = logged(&app, "session.started").await;
    let code = ann.code(&app);
    let statuses = race(|n| {
        let (app, asked, code) = (app.clone(), asked.clone(), code.clone());
        async move { reply(&app, &asked[n], "code", code.into()).await.0 }
    })
    .await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(logged(&app, "session.started").await, before + 1);
    assert_eq!(logged(&app, "user.totp_used").await, 1);
}

#[sqlx::test(migrations = false)]
async fn of_64_guesses_at_once_at_most_5_are_heard(pool: PgPool) {
    let app = Arc::new(TestApp::start(pool).await);
    let ann = guarded(&app, "ann").await;
    let asked = questions(&app, &ann).await;
    let guess = ann.wrong(&app);
    let statuses = race(|n| {
        let (app, asked, guess) = (app.clone(), asked.clone(), guess.clone());
        async move { reply(&app, &asked[n], "code", guess.into()).await.0 }
    })
    .await;
    let heard = statuses.iter().filter(|status| **status == 400).count();
    assert!(heard <= 5, "{statuses:?}");
    assert_eq!(logged(&app, "challenge.failed").await, 5);
    assert!(!statuses.contains(&200));
    let (status, told) = reply(&app, &asked[0], "code", ann.code(&app).into()).await;
    assert_ne!(status, 200, "the right one comes too late");
    assert!(["locked_out", "challenge_not_valid"].contains(&told["code"].as_str().unwrap()));
}

#[sqlx::test(migrations = false)]
async fn one_challenge_hears_5_wrong_answers_and_dies(pool: PgPool) {
    let app = Arc::new(TestApp::start(pool).await);
    let ann = guarded(&app, "ann").await;
    let asked = question(&app, &ann.person).await;
    for n in 0..5 {
        assert_eq!(reply(&app, &asked, "passkey", json!({"n": n})).await.0, 400);
    }
    let (status, told) = reply(&app, &asked, "code", ann.code(&app).into()).await;
    assert_eq!((status, &told["code"]), (400, &json!("challenge_not_valid")));
    let asked = question(&app, &ann.person).await;
    assert_eq!(reply(&app, &asked, "code", ann.code(&app).into()).await.0, 200);
}
