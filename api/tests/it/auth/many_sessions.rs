//! A thousand sessions at once.

use std::collections::BTreeSet;

use futures::stream::{self, StreamExt};
use keynest_commands::login::{LogIn, SignIn};
use keynest_commands::{Client, Origin};
use keynest_crypto::Password;
use keynest_domain::Email;
use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::PgPool;

use super::calls::{logged, profile_status, refresh};
use crate::app::TestApp;
use crate::person::PASSWORD;

const SESSIONS: usize = 1_000;
/// Parallel refreshes of each.
const EACH: usize = 5;
/// Sessions that are busy at a time.
const AT_ONCE: usize = 16;

/// A sign-in as the product does it behind the route, without five requests' worth of JSON.
async fn sign_in(app: &TestApp) -> String {
    let client = Client { address: Some([127, 0, 0, 1].into()), agent: None, token: None };
    let origin = Origin { client: Some(client), ..Origin::product(app.clock.request_id()) };
    let email = Email::parse("ann@example.com").unwrap();
    let wish = LogIn { email, password: Password::presented(PASSWORD).unwrap() };
    let SignIn::Session(signed_in) = app.app.commands.log_in(&origin, wish).await.unwrap().outcome
    else {
        panic!("no second factor is on")
    };
    signed_in.refresh.expose_secret().to_owned()
}

#[sqlx::test(migrations = false)]
async fn r07_of_1000_sessions_with_5_parallel_refreshes_each_none_is_signed_out(pool: PgPool) {
    let app = TestApp::start(pool).await;
    app.register_active("ann").await;
    let tokens: Vec<String> =
        stream::iter(0..SESSIONS).map(|_| sign_in(&app)).buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), SESSIONS);
    let pairs: Vec<(String, String)> = stream::iter(&tokens)
        .map(|token| async {
            let five = futures::future::join_all((0..EACH).map(|_| refresh(&app, token))).await;
            assert!(five.iter().all(|(status, _)| *status == 200), "{five:?}");
            let text = |told: &Value, field: &str| told[field].as_str().unwrap().to_owned();
            let children: BTreeSet<_> =
                five.iter().map(|(_, told)| text(told, "refresh")).collect();
            assert_eq!(children.len(), 1, "one child only");
            (text(&five[0].1, "access"), text(&five[0].1, "refresh"))
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    assert_eq!(logged(&app, "session.refreshed").await, SESSIONS);
    assert_eq!(logged(&app, "session.ended").await, 0);
    assert_eq!(logged(&app, "session.refresh_token_reuse_detected").await, 0);
    let alive = stream::iter(&pairs).map(|(access, _)| profile_status(&app, access));
    let alive: Vec<u16> = alive.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(alive, vec![200; SESSIONS]);
    let next =
        stream::iter(&pairs).map(|(_, successor)| async { refresh(&app, successor).await.0 });
    let next: Vec<u16> = next.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(next, vec![200; SESSIONS]);
}
