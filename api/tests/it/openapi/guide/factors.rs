//! Second factors: enrolled, asked for, confirmed, removed.

use keynest_crypto::TotpSecret;
use keynest_domain::Lifetime;
use serde_json::{Value, json};

use super::call::Call;
use super::people::{People, text};
use super::recorder::Recorder;
use crate::auth::factors::Authenticator;

const PASSWORD: &str = "correct-Horse-7-battery";
const ANN: &str = "ann@example.com";

/// The next code of an app: the one before is used up.
fn next_code(guide: &Recorder<'_>, secret: &TotpSecret) -> String {
    guide.app.clock.advance(Lifetime::from_secs(30));
    secret.code_at(u64::try_from(guide.app.clock.now().seconds()).unwrap())
}

pub async fn factors(guide: &mut Recorder<'_>, people: &People) {
    let about = "An account with an authenticator app or a passkey is asked for it after the password. Changing factors \
                 needs an authentication at most 5 minutes old.";
    guide.chapter("Second factors", about);
    let (app, secret) = enrol_app(guide, people).await;
    challenge(guide, people, &secret).await;
    let (key, mut device) = enrol_passkey(guide, people).await;
    passkey_sign_in(guide, &mut device).await;
    confirm(guide, people, &secret).await;
    let call = Call::get("/api/auth/factors/").with_token(&people.ann).titled("List factors");
    guide.call(call, 200).await;
    let call = Call::post("/api/auth/factors/recovery-codes/", json!({})).without_body();
    let call = call.with_token(&people.ann).titled("New recovery codes");
    guide.call(call.note("Shown this once; the old ones are dead."), 201).await;
    for factor in [app, key] {
        let call = Call::delete(format!("/api/auth/factors/{factor}/")).with_token(&people.ann);
        guide.call(call.titled("Remove a factor"), 204).await;
    }
}

async fn enrol_app(guide: &mut Recorder<'_>, people: &People) -> (String, TotpSecret) {
    let call = Call::post("/api/auth/factors/totp/", json!({})).without_body();
    let call = call.with_token(&people.ann).titled("Begin with an authenticator app");
    let note = "Show `otpauth_uri` as a QR code. Nothing counts before the first code came back.";
    let offer = guide.call(call.note(note), 200).await.body;
    let secret = TotpSecret::parse(&text(&offer, "secret")).unwrap();
    let code = next_code(guide, &secret);
    let body = json!({ "challenge": offer["challenge"], "code": code, "name": "phone" });
    let call = Call::post("/api/auth/factors/totp/confirm/", body).with_token(&people.ann);
    let note = "With the first factor come ten recovery codes, shown this once.";
    let answer = guide.call(call.titled("Confirm the app").note(note), 201).await;
    (text(&answer.body, "id"), secret)
}

/// With a token, which the sign-in does not look at, so that the guide stays below the throttle.
async fn challenge(guide: &mut Recorder<'_>, people: &People, secret: &TotpSecret) {
    let login = json!({ "email": ANN, "password": PASSWORD });
    let call = Call::post("/api/auth/login/", login).with_token(&people.ann);
    let note = "The right password is answered 400 with a text for people and a `challenge` for programs; there is no \
                session yet. `factors` says what answers it, and `passkey_options` is for the browser where there is a \
                passkey. (The token is not needed.)";
    let call = call.titled("Sign in to an account with a second factor").note(note);
    let asked = guide.call(call, 400).await.body;
    let code = next_code(guide, secret);
    let body = json!({ "challenge": asked["challenge"], "code": code });
    let call = Call::post("/api/auth/login/challenge/", body).titled("Answer the challenge");
    let note =
        "With `code`, `recovery_code` or `passkey`, within 5 minutes. After 5 wrong codes: 429.";
    guide.call(call.note(note), 200).await;
}

async fn enrol_passkey(guide: &mut Recorder<'_>, people: &People) -> (String, Authenticator) {
    let path = "/api/auth/factors/passkeys/";
    let call = Call::post(format!("{path}options/"), json!({})).without_body();
    let call = call.with_token(&people.ann).titled("Begin with a passkey");
    let begun =
        guide.call(call.note("`options` is for `navigator.credentials.create`."), 200).await.body;
    let mut device = Authenticator::new("the guide's device");
    let made = device.create(&begun["options"]);
    let body = json!({ "challenge": begun["challenge"], "passkey": made, "name": "laptop" });
    let call = Call::post(path, body).with_token(&people.ann).titled("Enrol the passkey");
    let answer = guide.call(call, 201).await;
    (text(&answer.body, "id"), device)
}

async fn passkey_sign_in(guide: &mut Recorder<'_>, device: &mut Authenticator) {
    let path = "/api/auth/login/passkey/";
    let call = Call::post(format!("{path}options/"), json!({})).without_body();
    let call = call.titled("Begin a sign-in with a passkey alone");
    let begun: Value =
        guide.call(call.note("`options` is for `navigator.credentials.get`."), 200).await.body;
    let signed = device.get(&begun["options"]);
    let body = json!({ "challenge": begun["challenge"], "passkey": signed });
    let call = Call::post(path, body).titled("Sign in with a passkey alone");
    guide.call(call.note("No address, no password, no second question."), 200).await;
}

async fn confirm(guide: &mut Recorder<'_>, people: &People, secret: &TotpSecret) {
    let path = "/api/auth/reauthenticate/";
    let call = Call::post(format!("{path}options/"), json!({})).without_body();
    let call = call.with_token(&people.ann).titled("Options to confirm with a passkey");
    guide.call(call, 200).await;
    let code = next_code(guide, secret);
    let body = json!({ "current_password": PASSWORD, "code": code });
    let call = Call::post(path, body).with_token(&people.ann).titled("Confirm that it is you");
    let note = "What was answered 403 `step_up_required` is open for 5 minutes. Without a second factor the password is \
                enough; with a passkey (`challenge`, `passkey`) no password is needed.";
    guide.call(call.note(note), 200).await;
}

pub async fn policy(guide: &mut Recorder<'_>, people: &People, organization: i64) {
    let path = format!("/api/core/organizations/{organization}/security/");
    let call = Call::get(path.clone()).with_token(&people.ann).titled("The security policy");
    guide.call(call, 200).await;
    let call = Call::patch(path.clone(), json!({ "step_up": true })).with_token(&people.ann);
    let note = "Exporting values and deleting the organization then ask for an authentication at most 5 minutes old.";
    guide.call(call.titled("Change the security policy").note(note), 200).await;
    let call = Call::patch(path, json!({ "require_second_factor": true })).with_token(&people.ann);
    let note = "Refused to an admin who has not signed in with a second factor.";
    guide.call(call.titled("Require a second factor").note(note), 400).await;
}
