//! What any call may meet.

use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

pub async fn refusals(guide: &mut Recorder<'_>, people: &People) {
    let ann = people.ann.as_str();
    guide.chapter("What any call may meet", "");
    let list = "/api/core/projects/";
    let note = "403, not 401: there is nothing to refresh.";
    guide.call(Call::get(list).titled("No token").note(note), 403).await;
    let note = "401 always means: exchange the refresh token, then repeat the call once.";
    guide
        .call(Call::get(list).with_token("expired").titled("An expired token").note(note), 401)
        .await;
    let call = Call::post(list, json!({})).text("application/json", "{\"name\": ").with_token(ann);
    guide.call(call.titled("A broken body"), 400).await;
    let call = Call::post(list, json!({})).text("text/plain", "name=Shop").with_token(ann);
    guide.call(call.titled("Another content type"), 415).await;
    let call = Call::post(list, json!({ "name": "x", "organization": "mine" })).with_token(ann);
    guide.call(call.titled("Bad fields"), 400).await;
    guide
        .call(
            Call::get(format!("{list}?page=9")).with_token(ann).titled("A page behind the last"),
            404,
        )
        .await;
    guide.call(Call::get("/api/nothing/").titled("An unknown path"), 404).await;
    guide
        .call(Call::put(list, json!({})).with_token(ann).titled("A method that is not there"), 405)
        .await;
    let call = Call::options(list)
        .header("Origin", "http://localhost:3000")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization,content-type");
    guide
        .call(
            call.titled("A browser's preflight").note("For the origins of the configuration."),
            204,
        )
        .await;
    let call = Call::get("/health/").header("Origin", "http://localhost:3000");
    guide.call(call.titled("The call that follows it"), 200).await;
    let path = "/api/auth/register/";
    let wish = json!({
        "username": "dave", "email": "dave@example.com", "password": "short", "confirm_password": "short",
    });
    // The budget fills up again in seconds, and the walk so far may have been slow.
    for _ in 0..3 {
        guide.app.post(path).json(&wish).send().await.unwrap();
    }
    let note =
        "Wait `Retry-After` seconds. `RateLimit` tells what is left before it comes to this.";
    guide.call(Call::post(path, wish).titled("Too many requests").note(note), 429).await;
}
