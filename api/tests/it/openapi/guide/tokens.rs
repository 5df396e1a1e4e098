//! Tokens for programs: of a person, of an organization, and by exchange.

use serde_json::json;

use super::call::Call;
use super::people::{People, text};
use super::recorder::Recorder;

/// An issuer that the guide's server is configured to trust.
pub const ISSUER: &str = "https://token.actions.githubusercontent.com";

pub async fn tokens(guide: &mut Recorder<'_>, people: &People, organization: i64, place: i64) {
    let told = "For programs, as `Authorization: Bearer kn_…` on `/api/core/`. `docs/TOKENS.md` has scopes, networks, examples \
                for CI and the pattern for secret scanners. A token is shown once, in the answer that made it.";
    guide.chapter("Tokens for programs", told);
    let path = "/api/auth/tokens/";
    let wish = json!({ "name": "laptop", "access": "read", "environments": [place], "expires_in_days": 30 });
    let call = Call::post(path, wish).with_token(&people.ann).titled("Make a personal token");
    let made = guide.call(call, 201).await;
    guide.mask.secret(text(&made.body, "token"), "<personal token of Ann>");
    guide.call(Call::get(path).with_token(&people.ann).titled("List own tokens"), 200).await;
    let one = format!("{path}{}/", made.body["id"]);
    guide.call(Call::delete(one).with_token(&people.ann).titled("End one of them"), 204).await;

    let path = format!("/api/core/organizations/{organization}/tokens/");
    let wish =
        json!({ "name": "deploy robot", "role": "editor", "access": "write", "everywhere": true });
    let call = Call::post(&path, wish).with_token(&people.ann);
    let note = "For admins. It acts under its own name and number, and is no member.";
    let made = guide.call(call.titled("Make a token of the organization").note(note), 201).await;
    guide.mask.secret(text(&made.body, "token"), "<token of the organization>");
    let call = Call::get(&path).with_token(&people.ann);
    guide.call(call.titled("List its tokens"), 200).await;
    let one = format!("{path}{}/", made.body["id"]);
    guide.call(Call::delete(one).with_token(&people.ann).titled("End one of them"), 204).await;

    let path = format!("/api/core/organizations/{organization}/trusts/");
    let conditions = json!([{ "claim": "sub", "pattern": "repo:acme/shop:ref:refs/heads/main" }]);
    let wish = json!({ "name": "deploy of the shop", "issuer": ISSUER, "conditions": conditions, "environments": [place],
        "lifetime_minutes": 10 });
    let call = Call::post(&path, wish).with_token(&people.ann);
    let made =
        guide.call(call.titled("Trust an issuer's tokens, as far as a rule says"), 201).await;
    let call = Call::get(&path).with_token(&people.ann);
    guide.call(call.titled("List the rules"), 200).await;
    let wish = json!({ "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "trust": 7,
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token", "subject_token": "<token of the issuer>" });
    let note = "No such rule. Where one fits: 200 with `access_token`, `issued_token_type`, `token_type`, `expires_in`.";
    let call = Call::post("/api/auth/token/exchange/", wish);
    guide.call(call.titled("Exchange a token").note(note), 400).await;
    let one = format!("{path}{}/", made.body["id"]);
    guide.call(Call::delete(one).with_token(&people.ann).titled("Remove the rule"), 204).await;
}
