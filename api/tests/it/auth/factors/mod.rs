//! Second factors over HTTP: enrolled, asked for, lost, attacked.

mod attacks;
mod authenticator;
mod challenge;
mod lost;
pub mod passkeys;
mod policy;
mod policy_reads;
mod step_up;
mod step_up_actions;
mod totp;

use keynest_crypto::TotpSecret;
use keynest_domain::Lifetime;
use serde_json::{Value, json};

use super::calls::{answer, log_in, post};
use crate::app::TestApp;
use crate::person::{PASSWORD, Person};

pub use authenticator::Authenticator;
pub use passkeys::enrol;

/// Somebody with an authenticator app.
pub struct Guarded {
    pub person: Person,
    pub secret: TotpSecret,
    pub factor: String,
    pub codes: Vec<String>,
}

impl Guarded {
    /// The code that the app shows now.
    pub fn code(&self, app: &TestApp) -> String {
        self.secret.code_at(seconds(app))
    }

    /// A code that was not right lately and will not be soon.
    pub fn wrong(&self, app: &TestApp) -> String {
        let near: Vec<String> =
            (0..6).map(|step| self.secret.code_at(seconds(app) + step * 30 - 60)).collect();
        (0..10).map(|n| format!("00000{n}")).find(|code| !near.contains(code)).unwrap()
    }
}

pub fn seconds(app: &TestApp) -> u64 {
    u64::try_from(app.clock.now().seconds()).unwrap()
}

/// The next time step begins, so that codes are good again.
pub fn next_step(app: &TestApp) {
    app.clock.advance(Lifetime::from_secs(30));
}

pub async fn signed(app: &TestApp, access: &str, path: &str, body: Value) -> (u16, Value) {
    answer(app.post(path).bearer_auth(access).json(&body)).await
}

/// Registers somebody and enrols an app; the next code is good.
pub async fn guarded(app: &TestApp, name: &str) -> Guarded {
    let person = app.register_active(name).await;
    enrolled(app, person).await
}

/// Enrols an app in the session of somebody; the next code is good.
pub async fn enrolled(app: &TestApp, person: Person) -> Guarded {
    let (status, offer) = signed(app, &person.access, "/api/auth/factors/totp/", json!({})).await;
    assert_eq!(status, 200, "{offer}");
    let secret = TotpSecret::parse(offer["secret"].as_str().unwrap()).unwrap();
    let body = json!({
        "challenge": offer["challenge"], "code": secret.code_at(seconds(app)), "name": "phone",
    });
    let (status, told) = signed(app, &person.access, "/api/auth/factors/totp/confirm/", body).await;
    assert_eq!(status, 201, "{told}");
    next_step(app);
    let codes = told["recovery_codes"].as_array().unwrap().iter();
    let codes = codes.map(|code| code.as_str().unwrap().to_owned()).collect();
    Guarded { person, secret, factor: told["id"].as_str().unwrap().to_owned(), codes }
}

/// The question after the right password.
pub async fn question(app: &TestApp, person: &Person) -> Value {
    let (status, told) = log_in(app, &person.email, PASSWORD).await;
    assert_eq!((status, &told["code"]), (400, &json!("second_factor_required")), "{told}");
    told
}

pub async fn reply(app: &TestApp, question: &Value, field: &str, proof: Value) -> (u16, Value) {
    let body = json!({ "challenge": question["challenge"], field: proof });
    post(app, "/api/auth/login/challenge/", body).await
}
