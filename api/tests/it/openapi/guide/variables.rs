//! Variables, one by one.

use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

pub async fn variables(guide: &mut Recorder<'_>, people: &People, environment: i64) -> i64 {
    let ann = people.ann.as_str();
    let about = "Values are stored byte for byte, up to 64 KiB. Whoever may read values gets them as `decrypted_value`; \
                 viewers get `[HIDDEN]`. Each reading is in the audit log.";
    guide.chapter("Variables", about);
    let path = "/api/core/variables/";
    let wish =
        json!({ "key": "DATABASE_URL", "value": "postgres://db/shop", "environment": environment });
    let call = Call::post(path, wish.clone()).with_token(ann).titled("Create a variable");
    let made = guide.call(call, 201).await;
    let id = made.body["id"].as_i64().unwrap();
    guide.call(Call::post(path, wish).with_token(ann).titled("The key is taken"), 400).await;
    let call =
        Call::get(format!("/api/core/environments/{environment}/variables/")).with_token(ann);
    guide.call(call.titled("The variables of an environment"), 200).await;
    guide.call(Call::get(path).with_token(ann).titled("All variables"), 200).await;
    let one = format!("{path}{id}/");
    guide.call(Call::get(&one).with_token(ann).titled("Read a variable"), 200).await;
    let call = Call::patch(&one, json!({ "key": "DATABASE_URL", "value": "postgres://db/shop2" }));
    guide.call(call.with_token(ann).titled("Change a variable"), 200).await;
    let call = Call::patch(&one, json!({ "key": "DB_URL", "value": "[HIDDEN]" })).with_token(ann);
    let note = "`[HIDDEN]` and `[NO_ACCESS]` leave the value as it is.";
    guide.call(call.titled("Rename it without knowing its value").note(note), 200).await;
    let call = Call::put(&one, json!({ "key": "DATABASE_URL", "value": "" })).with_token(ann);
    guide.call(call.titled("Replace a variable").note("An empty value is a value."), 200).await;
    id
}
