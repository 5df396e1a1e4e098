//! Ended sessions on other replicas, and when the feed is silent.

use keynest_api::Revocations;
use keynest_crypto::AccessClaims;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::calls::answer;
use crate::app::TestApp;
use crate::person::Person;

fn claims(app: &TestApp, person: &Person) -> AccessClaims {
    app.app.tokens.verify(&person.access, app.clock.now()).unwrap().claims
}

async fn sign_out(app: &TestApp, person: &Person) {
    let (status, _) = answer(app.post("/api/auth/logout/").bearer_auth(&person.access)).await;
    assert_eq!(status, 200);
}

/// Another process's knowledge, over the same store and read models.
async fn replica(app: &TestApp) -> Revocations {
    let replica = Revocations::default();
    replica.start(&app.app, CancellationToken::new()).await.unwrap();
    replica
}

#[sqlx::test(migrations = false)]
async fn another_replica_follows_and_a_new_one_knows_what_ended_before(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let replica_before = replica(&app).await;
    assert!(replica_before.is_fresh());
    sign_out(&app, &ann).await;
    replica_before.catch_up(app.app.commands.store()).await;
    let replica_after = replica(&app).await;
    for replica in [replica_before, replica_after] {
        let refused = replica.check(&app.app.queries, &claims(&app, &ann)).await.unwrap_err();
        assert_eq!(refused.code(), "token_not_valid");
        replica.check(&app.app.queries, &claims(&app, &bob)).await.unwrap();
    }
}

#[sqlx::test(migrations = false)]
async fn a_replica_that_does_not_follow_asks_for_the_row_and_else_lets_nobody_in(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (ann, bob) = (app.register_active("ann").await, app.register_active("bob").await);
    let deaf = Revocations::default();
    assert!(!deaf.is_fresh());
    sign_out(&app, &ann).await;
    app.catch_up().await;
    let refused = deaf.check(&app.app.queries, &claims(&app, &ann)).await.unwrap_err();
    assert_eq!(refused.code(), "token_not_valid");
    deaf.check(&app.app.queries, &claims(&app, &bob)).await.unwrap();
    let nowhere = PgPool::connect_lazy("postgres://nobody@127.0.0.1:1/none").unwrap();
    nowhere.close().await;
    let queries = keynest_projections::Queries::new(nowhere);
    let refused = deaf.check(&queries, &claims(&app, &bob)).await.unwrap_err();
    assert_eq!(refused.status().as_u16(), 503);
}
