//! Own sessions, and another address.

use keynest_domain::Lifetime;
use serde_json::{Value, json};

use super::call::Call;
use super::people::{People, mailed, text};
use super::recorder::Recorder;

const PASSWORD: &str = "correct-Horse-7-battery";
const ANN: &str = "ann@example.com";
const OTHER: &str = "ann@example.net";

pub async fn sessions(guide: &mut Recorder<'_>, people: &People) {
    let text = "Every sign-in is a session. Ending one ends its access tokens at once. `last_used_at` is exact to a minute.";
    guide.chapter("Own sessions", text);
    let login = json!({ "email": ANN, "password": PASSWORD });
    let other = guide.app.post("/api/auth/login/").json(&login).send().await.unwrap();
    assert_eq!(other.status(), 200);
    let path = "/api/auth/sessions/";
    let call = Call::get(path).with_token(&people.ann);
    let listed = guide.call(call.titled("List own sessions"), 200).await;
    let sessions = listed.body["sessions"].as_array().unwrap();
    let other = sessions.iter().find(|it| it["is_current"] == false).unwrap();
    let other = format!("{path}{}/", other["id"].as_str().unwrap());
    let call = Call::delete(&other).with_token(&people.ann);
    guide.call(call.titled("End one of them"), 204).await;
    let call = Call::delete(&other).with_token(&people.ann);
    let note = "Also for somebody else's session.";
    guide.call(call.titled("End it again").note(note), 404).await;
    let call = Call::delete(path).with_token(&people.ann);
    guide.call(call.titled("Sign out everywhere else"), 200).await;
}

pub async fn address(guide: &mut Recorder<'_>, people: &mut People) {
    let told = "Both addresses get a link, and the address changes when both were used. The answer is the same whether the \
                wished address is free or not. The links lead to pages of the API itself; a frontend with pages of its own \
                uses these calls. `uid` and `token` are the last two parts of a link.";
    guide.chapter("Another address", told);
    let path = "/api/auth/change-email/";
    let wish = json!({ "new_email": OTHER, "current_password": PASSWORD });
    let call = Call::post(path, wish.clone()).with_token(&people.ann);
    let note = "Without the password within five minutes of signing in or of `reauthenticate/`.";
    guide.call(call.titled("Ask for another address").note(note), 200).await;
    let call = Call::delete(path).with_token(&people.ann);
    guide.call(call.titled("Give it up"), 200).await;
    let asked = guide.app.post(path).bearer_auth(&people.ann).json(&wish).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    let link = |parts: &[String]| json!({ "uid": parts[0], "token": parts[1] });
    let confirm = "/api/auth/change-email/confirm/";
    let (new, old) = (mailed(guide, OTHER).await, mailed(guide, ANN).await);
    let call = Call::post(confirm, link(&new));
    guide.call(call.titled("Confirm from the new address"), 200).await;
    let call = Call::post(confirm, link(&old));
    guide.call(call.titled("Confirm from the old address"), 200).await;
    let call = Call::post("/api/auth/change-email/cancel/", link(&old));
    let note = "The link in the mail to the old address also cancels, until the change is made.";
    guide.call(call.titled("Cancel too late").note(note), 400).await;
    let call = Call::post(path, wish).with_token(&people.ann);
    let call = call.titled("Change it again");
    guide.call(call, 400).await;
    let undo = mailed(guide, ANN).await;
    let call = Call::post("/api/auth/change-email/undo/", link(&undo));
    let note =
        "For three days, by the link in the mail that told the old address. Every session ends.";
    guide.call(call.titled("Take the old address back").note(note), 200).await;
    sign_in_again(guide, people).await;
}

async fn sign_in_again(guide: &mut Recorder<'_>, people: &mut People) {
    // Beyond the pause between two reset mails.
    guide.app.clock.advance(Lifetime::from_minutes(2));
    let reset = mailed(guide, ANN).await;
    let chosen = json!({
        "uid": reset[0], "token": reset[1], "new_password": PASSWORD, "confirm_password": PASSWORD,
    });
    let call = Call::post("/api/auth/password-reset-confirm/", chosen);
    let note =
        "The password of before opens nothing any more; a reset link comes with the undoing.";
    guide.call(call.titled("Choose a password again").note(note), 200).await;
    let login = json!({ "email": ANN, "password": PASSWORD });
    let answer = guide.app.post("/api/auth/login/").json(&login).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    people.ann = text(&answer, "access");
    guide.mask.secret(people.ann.clone(), "<access token>");
}
