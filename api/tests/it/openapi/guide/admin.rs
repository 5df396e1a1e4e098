//! The instance, for its administrators.

use keynest_commands::Origin;
use keynest_domain::Email;
use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

const USERS: &str = "/api/admin/users/";

pub async fn instance(guide: &mut Recorder<'_>, people: &People) {
    let about = "For administrators of the instance, made by its operator with `keynest users grant ADDRESS`; the \
                 profile's `is_administrator` says who is one. They see accounts and counts, never values, and are \
                 members of nothing by it.";
    guide.chapter("Administration", about);
    let ann = people.ann.as_str();
    let note = "Not an administrator.";
    guide.call(Call::get(USERS).with_token(ann).titled("Refused").note(note), 403).await;
    let origin = Origin::product(guide.app.clock.request_id());
    let address = Email::parse("ann@example.com").unwrap();
    guide.app.app.commands.grant_administrator(&origin, address).await.unwrap();
    guide.app.catch_up().await;
    let call = Call::get(format!("{USERS}?page_size=2")).with_token(ann);
    let listed = guide.call(call.titled("All accounts"), 200).await.body;
    let bob = listed["results"][1]["id"].as_i64().unwrap();
    let call = Call::get("/api/admin/organizations/?page_size=2").with_token(ann);
    let counted = guide.call(call.titled("All organizations, counted"), 200).await.body;
    limits(guide, ann, counted["results"][0]["id"].as_i64().unwrap()).await;
    let token = json!({ "name": "found in public", "everywhere": true, "access": "read" });
    let made = guide.app.post("/api/auth/tokens/").bearer_auth(ann).json(&token);
    let made: serde_json::Value = made.send().await.unwrap().json().await.unwrap();
    let path = format!("/api/admin/tokens/{}/", made["id"]);
    let note = "By its number, whosesoever it is: a person's, a service's, or an exchange rule. The owner gets a mail.";
    let call = Call::delete(path).with_token(ann).titled("End anybody's token").note(note);
    guide.call(call, 204).await;
    providers(guide, ann).await;
    let close = Call::post(format!("{USERS}{bob}/deactivate/"), json!({})).with_token(ann);
    let note = "Every session of the account ends at once.";
    guide.call(close.titled("Close an account").note(note), 200).await;
    let open = Call::post(format!("{USERS}{bob}/reactivate/"), json!({})).with_token(ann);
    let note = "Old sessions stay ended: the person signs in again.";
    guide.call(open.titled("Open it again").note(note), 200).await;
}

/// As far as it can be shown without an issuer to ask.
async fn providers(guide: &mut Recorder<'_>, ann: &str) {
    let path = "/api/admin/providers/";
    let note = "Where people may come from: those of the configuration, which are changed there, and those that \
                administrators set up. A client secret is never shown.";
    let call = Call::get(path).with_token(ann).titled("Sign-in providers").note(note);
    guide.call(call, 200).await;
    let wish = json!({
        "key": "work", "name": "Our company", "issuer": "http://login.example.com",
        "client_id": "keynest", "client_secret": "from the provider's pages",
    });
    let note = "The issuer is asked for its discovery document first. Good: 201 and the provider with its \
                `redirect_uri`, which is to be registered there; people can come from there at once.";
    let call = Call::post(path, wish).with_token(ann).titled("Set up a provider").note(note);
    guide.call(call, 400).await;
    let own = format!("{path}work/");
    guide.call(Call::get(&own).with_token(ann).titled("One provider"), 404).await;
    let note = "What is absent stays; key and issuer cannot be changed.";
    let call = Call::patch(&own, json!({ "name": "Head office" })).with_token(ann);
    guide.call(call.titled("Change a provider").note(note), 404).await;
    let note = "Good: 204. While accounts sign in by it: 409 `provider_in_use` with `accounts` and `last_way_in_of`; \
                `?force=true` removes it all the same.";
    let call = Call::delete(&own).with_token(ann).titled("Remove a provider").note(note);
    guide.call(call, 404).await;
}

async fn limits(guide: &mut Recorder<'_>, ann: &str, organization: i64) {
    let path = "/api/admin/limits/";
    let note = "A policy's name is the one in `RateLimit-Policy` and `violated-policies`.";
    let call = Call::get(path).with_token(ann).titled("How often callers may try").note(note);
    guide.call(call, 200).await;
    let wish = json!({ "limits": { "token": { "quota": 5_000, "window_seconds": 3_600 } } });
    let note = "Every process goes by it at once. `null` goes back to what is configured, a quota of 0 switches \
                a policy off.";
    let call = Call::patch(path, wish).with_token(ann).titled("Change limits").note(note);
    guide.call(call, 200).await;
    let own = format!("/api/admin/organizations/{organization}/limits/");
    let wish = json!({ "limits": { "invitations": { "quota": 200, "window_seconds": 86_400 } } });
    let call = Call::patch(&own, wish).with_token(ann);
    guide.call(call.titled("Give one organization limits of its own"), 200).await;
    guide.call(Call::get(&own).with_token(ann).titled("Limits of one organization"), 200).await;
}
