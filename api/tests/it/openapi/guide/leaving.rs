//! A copy of everything, and the ways out.

use serde_json::json;

use super::accounts::{ANN, LAST_PASSWORD};
use super::call::Call;
use super::people::text;
use super::recorder::Recorder;

pub async fn leave(guide: &mut Recorder<'_>) {
    let about = "All three ask for an authentication of the last 5 minutes: on 403 `step_up_required`, call \
                 `reauthenticate/` and repeat.";
    guide.chapter("Leaving", about);
    let login = json!({ "email": ANN, "password": LAST_PASSWORD });
    let answer = guide.app.post("/api/auth/login/").json(&login).send().await.unwrap();
    let ann = text(&answer.json().await.unwrap(), "access");
    guide.mask.secret(ann.clone(), "<access token of Ann>");
    let call = Call::get("/api/auth/account/export/").with_token(&ann);
    let note = "One JSON file, with a file name; never cached, and recorded in the audit log. The entries are shortened here.";
    guide.call(call.titled("Take a copy of everything").note(note), 200).await;
    let call = Call::post("/api/auth/account/deactivate/", json!({})).without_body();
    let note = "Nothing is deleted; an administrator opens the account again.";
    let bob = guide.app.sign_in("bob").await.access;
    guide.mask.secret(bob.clone(), "<access token of Bob>");
    guide.call(call.with_token(&bob).titled("Close the account").note(note), 200).await;
    let call = Call::delete("/api/auth/account/").with_token(&ann).titled("Delete the account");
    let note = "For good. 400 `last_admin` lists `organizations` (`id`, `name`) that need another admin first.";
    guide.call(call.note(note), 200).await;
}
