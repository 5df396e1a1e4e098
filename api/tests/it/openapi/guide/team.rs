//! Organizations and the people in them.

use serde_json::json;

use super::call::Call;
use super::people::{People, mailed};
use super::recorder::Recorder;

pub async fn organizations(guide: &mut Recorder<'_>, people: &People) -> i64 {
    let ann = people.ann.as_str();
    guide.chapter("Organizations", "Everybody has a personal one. `user_role` is the caller's role: `admin`, `editor` or `viewer`.");
    let path = "/api/core/organizations/";
    guide.call(Call::get("/api/core/").with_token(ann).titled("The collections"), 200).await;
    let wish = json!({ "name": "Acme", "description": "Our shop" });
    let call = Call::post(path, wish).with_token(ann).header("Idempotency-Key", "b5e1");
    let note = "With an `Idempotency-Key`, so that it may be sent again after a broken connection.";
    let made = guide.call(call.titled("Create an organization").note(note), 201).await;
    let id = made.body["id"].as_i64().unwrap();
    let wish = json!({ "name": "Acme", "description": "Our shop" });
    let call = Call::post(path, wish).with_token(ann).header("Idempotency-Key", "b5e1");
    let note = "Nothing is made twice; the answer is about the same organization.";
    let again = guide.call(call.titled("The same request again").note(note), 201).await;
    assert_eq!(again.body["id"], id);
    let call = Call::post(path, json!({ "name": "Other" }))
        .with_token(ann)
        .header("Idempotency-Key", "b5e1");
    guide.call(call.titled("The same key with another body"), 422).await;
    let call =
        Call::get(path).with_token(ann).header("KeyNest-Min-Position", made.position.unwrap());
    let note = "With the position of the creation: this list shows at least that.";
    guide.call(call.titled("List organizations").note(note), 200).await;
    let call = Call::get(format!("{path}?page_size=1")).with_token(ann);
    guide
        .call(call.titled("List one page").note("`next` and `previous` are whole URLs."), 200)
        .await;
    let one = format!("{path}{id}/");
    guide.call(Call::get(&one).with_token(ann).titled("Read an organization"), 200).await;
    let call = Call::patch(&one, json!({ "description": null })).with_token(ann);
    guide
        .call(call.titled("Change an organization").note("What is absent stays as it is."), 200)
        .await;
    let call =
        Call::put(&one, json!({ "name": "Acme Ltd", "description": "Our shop" })).with_token(ann);
    guide.call(call.titled("Replace an organization"), 200).await;
    let rules = format!("{one}address-rules/");
    let wish = json!({ "mode": "dry_run", "allow": ["192.0.2.0/24", "2001:db8::/32"] });
    let note = "A dry run refuses nobody and records in the audit log (`would_refuse`) whom it would refuse. \
                `enforced` answers 403 `address_not_allowed` to everybody else; lists leave such an \
                organization's objects out, and the list of organizations still shows it.";
    let call = Call::put(&rules, wish).with_token(ann).titled("Try out address rules").note(note);
    guide.call(call, 200).await;
    let wish = json!({ "mode": "enforced", "allow": ["192.0.2.0/24"] });
    let call = Call::put(&rules, wish).with_token(ann).titled("Rules that would lock you out");
    guide.call(call, 400).await;
    let call = Call::put(&rules, json!({ "mode": "dry_run" })).with_token(ann);
    guide.call(call.titled("Take the address rules away"), 200).await;
    guide.call(Call::get(&rules).with_token(ann).titled("Read the address rules"), 200).await;
    id
}

pub async fn invite(guide: &mut Recorder<'_>, people: &mut People, organization: i64) {
    let ann = people.ann.as_str();
    guide
        .chapter("Invitations", "Only admins invite. The link in the mail is good for seven days.");
    let path = format!("/api/core/organizations/{organization}/invite_member/");
    let call = Call::post(&path, json!({ "email": "carol@example.com" })).with_token(ann);
    let sent = guide.call(call.titled("Invite a viewer"), 201).await;
    let list = format!("/api/core/organizations/{organization}/invitations/");
    guide.call(Call::get(&list).with_token(ann).titled("Open invitations"), 200).await;
    let id = sent.body["invitation"]["id"].as_str().unwrap();
    let call = Call::delete(format!("{list}{id}/")).with_token(ann);
    guide.call(call.titled("Take an invitation back"), 204).await;
    let wish = json!({ "email": "bob@example.com", "role": "viewer" });
    let call = Call::post(&path, wish.clone()).with_token(ann);
    guide.call(call.titled("Invite somebody who has an account"), 201).await;
    guide.call(Call::post(&path, wish).with_token(ann).titled("Invite twice"), 400).await;
    let parts = mailed(guide, "bob@example.com").await;
    let path = "/api/auth/invitations/accept/";
    let call = Call::post(path, json!({ "token": parts[0] })).titled("Accept");
    let note = "With or without a session: the token of the mail is enough, if the invited address has an account.";
    guide.call(call.note(note), 200).await;
    guide.call(Call::post(path, json!({ "token": parts[0] })).titled("Accept again"), 400).await;
}

pub async fn members(
    guide: &mut Recorder<'_>,
    people: &People,
    organization: i64,
    environment: i64,
) {
    let (ann, bob) = (people.ann.as_str(), people.bob.as_str());
    guide.chapter(
        "Members",
        "Every member sees the list; only admins see `last_login` and `is_active`.",
    );
    let base = format!("/api/core/organizations/{organization}");
    let call = Call::get(format!("{base}/members/")).with_token(ann).titled("Members, as an admin");
    let listed = guide.call(call, 200).await;
    let members = listed.body["members"].as_array().unwrap();
    let bob_id = members.iter().find(|it| it["username"] == "bob").unwrap()["id"].clone();
    let ann_id = members.iter().find(|it| it["username"] == "ann").unwrap()["id"].clone();
    guide
        .call(
            Call::get(format!("{base}/members/")).with_token(bob).titled("Members, as a viewer"),
            200,
        )
        .await;
    let variables = format!("/api/core/environments/{environment}/variables/?page_size=2");
    let call = Call::get(variables).with_token(bob).titled("Variables, as a viewer");
    guide.call(call.note("Viewers see keys, never values."), 200).await;
    let wish = json!({ "name": "Bobs shop", "organization": organization });
    let call = Call::post("/api/core/projects/", wish).with_token(bob);
    guide.call(call.titled("A viewer creates nothing"), 403).await;
    let path = format!("{base}/update_member_role/");
    let call = Call::patch(&path, json!({ "user_id": bob_id, "role": "editor" })).with_token(ann);
    guide.call(call.titled("Give another role"), 200).await;
    let call = Call::patch(&path, json!({ "user_id": ann_id, "role": "viewer" })).with_token(ann);
    guide.call(call.titled("Nobody changes their own role"), 400).await;
    let path = format!("{base}/remove_member/");
    let call = Call::delete(&path).json(json!({ "user_id": bob_id })).with_token(ann);
    guide.call(call.titled("Remove a member").note("A `DELETE` with a body."), 200).await;
    let call = Call::delete(&path).json(json!({ "user_id": bob_id })).with_token(ann);
    guide.call(call.titled("Remove somebody who is no member"), 404).await;
    let call = Call::get(format!("{base}/")).with_token(bob).titled("What was yours yesterday");
    guide
        .call(call.note("Objects of other organizations are not found, never forbidden."), 404)
        .await;
}
