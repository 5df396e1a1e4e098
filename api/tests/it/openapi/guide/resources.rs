//! Projects and environments, and the end of everything.

use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

pub async fn projects(guide: &mut Recorder<'_>, people: &People, organization: i64) -> i64 {
    let ann = people.ann.as_str();
    guide.chapter("Projects", "Admins and editors create and change them, admins delete them.");
    let path = "/api/core/projects/";
    let wish =
        json!({ "name": "Web shop", "organization": organization, "description": "The frontend" });
    let made =
        guide.call(Call::post(path, wish).with_token(ann).titled("Create a project"), 201).await;
    let id = made.body["id"].as_i64().unwrap();
    let call = Call::get(format!("{path}?organization={organization}")).with_token(ann);
    guide.call(call.titled("List the projects of an organization"), 200).await;
    let one = format!("{path}{id}/");
    guide.call(Call::get(&one).with_token(ann).titled("Read a project"), 200).await;
    let call = Call::patch(&one, json!({ "name": "Shop" })).with_token(ann);
    guide.call(call.titled("Change a project"), 200).await;
    let call = Call::patch(&one, json!({ "organization": organization + 1 })).with_token(ann);
    guide.call(call.titled("A project is never moved"), 400).await;
    let call =
        Call::put(&one, json!({ "name": "Shop", "description": "Everything" })).with_token(ann);
    guide.call(call.titled("Replace a project"), 200).await;
    id
}

pub async fn environments(guide: &mut Recorder<'_>, people: &People, project: i64) -> i64 {
    let ann = people.ann.as_str();
    let about = "`environment_type` is `development`, `staging`, `production` or `testing`. Names are lower-cased and \
                 unique in their project.";
    guide.chapter("Environments", about);
    let path = "/api/core/environments/";
    let wish = json!({ "name": "Live", "project": project, "environment_type": "production" });
    let call = Call::post(path, wish.clone()).with_token(ann).titled("Create an environment");
    let made = guide.call(call, 201).await;
    let id = made.body["id"].as_i64().unwrap();
    guide.call(Call::post(path, wish).with_token(ann).titled("The name is taken"), 400).await;
    let call = Call::get(format!("/api/core/projects/{project}/environments/")).with_token(ann);
    guide.call(call.titled("The environments of a project"), 200).await;
    let call = Call::get(format!("{path}?project={project}")).with_token(ann);
    guide.call(call.titled("All environments, filtered"), 200).await;
    let one = format!("{path}{id}/");
    guide.call(Call::get(&one).with_token(ann).titled("Read an environment"), 200).await;
    let call = Call::patch(&one, json!({ "description": "What customers see" })).with_token(ann);
    guide.call(call.titled("Change an environment"), 200).await;
    let whole = json!({ "name": "live", "environment_type": "production" });
    guide.call(Call::put(&one, whole).with_token(ann).titled("Replace an environment"), 200).await;
    id
}

pub async fn deletions(
    guide: &mut Recorder<'_>,
    people: &People,
    children: &[(&str, i64)],
    organization: i64,
) {
    let ann = people.ann.as_str();
    guide.chapter(
        "Deletions",
        "204 without a body. What is inside ends as well; nothing comes back.",
    );
    for (collection, id) in children {
        let title = match *collection {
            "variables" => "Delete a variable",
            "environments" => "Delete an environment",
            _ => "Delete a project",
        };
        let call = Call::delete(format!("/api/core/{collection}/{id}/")).with_token(ann);
        guide.call(call.titled(title), 204).await;
    }
    let call = Call::delete(format!("/api/core/organizations/{organization}/")).with_token(ann);
    guide.call(call.titled("Delete an organization"), 204).await;
}
