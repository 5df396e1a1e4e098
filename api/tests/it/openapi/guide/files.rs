//! Variables as files.

use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

pub async fn import(guide: &mut Recorder<'_>, people: &People, environment: i64) {
    let ann = people.ann.as_str();
    let about = "An import is done as a whole or not at all. Formats are `env`, `json`, `yaml` and `auto`; \
                 `docs/FILE_FORMATS.md` has the details.";
    guide.chapter("Import", about);
    let path = format!("/api/core/environments/{environment}/import/");
    let text = "# the shop\nPORT=8080\nGREETING=\"hello world\"\n";
    let call = Call::post(&path, json!({ "data": text, "format": "env" })).with_token(ann);
    guide.call(call.titled("Import text"), 200).await;
    let call = Call::post(&path, json!({})).with_token(ann).file(".env", "PORT=9090\nNEW=1\n", &[]);
    let note = "Without `overwrite` nothing is imported when a key exists; `conflicts` lists them.";
    guide.call(call.titled("Import a file that is in conflict").note(note), 409).await;
    let call = Call::post(&path, json!({})).with_token(ann);
    let call = call.file(".env", "PORT=9090\nNEW=1\n", &[("overwrite", "true")]);
    guide.call(call.titled("Import it with overwrite"), 200).await;
    let call = Call::post(&path, json!({ "data": "{\"DEBUG\": false}", "format": "json" }));
    guide.call(call.with_token(ann).titled("Import JSON"), 200).await;
    let call = Call::post(&path, json!({ "data": "GOOD=1\n1BAD=2\nno sign\n", "format": "env" }));
    let note = "Every bad line is named, no value is.";
    guide.call(call.with_token(ann).titled("A file with mistakes").note(note), 400).await;
}

pub async fn export(guide: &mut Recorder<'_>, people: &People, environment: i64) {
    let ann = people.ann.as_str();
    guide.chapter("Export", "For admins and editors. The answer is the file itself.");
    for (format, title) in
        [("env", "Export as .env"), ("json", "Export as JSON"), ("yaml", "Export as YAML")]
    {
        let path = format!("/api/core/environments/{environment}/export/?format={format}");
        guide.call(Call::get(path).with_token(ann).titled(title), 200).await;
    }
    let path = format!("/api/core/environments/{environment}/export/?format=toml");
    guide.call(Call::get(path).with_token(ann).titled("An unknown format"), 400).await;
}
