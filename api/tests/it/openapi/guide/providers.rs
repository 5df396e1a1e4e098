//! Sign-in with other providers, as far as it can be shown without one.

use serde_json::json;

use super::call::Call;
use super::people::People;
use super::recorder::Recorder;

const TEXT: &str = "`oauth.providers` of `/api/auth/config/` lists what is on. A button leads the browser to `start_url` with \
     `?challenge=` and the SHA-256 digest, in base64url, of a secret that the page keeps; the browser comes back to \
     `/auth/callback` of the frontend with `?code=`, which is good once and for two minutes, or with `?error=` and the \
     code of a problem. `docs/SIGN_IN.md` says more. Below no provider is on.";

pub async fn providers(guide: &mut Recorder<'_>, people: &People) {
    guide.chapter("Sign-in with other providers", TEXT);
    let code = json!({ "code": "from-the-callback", "verifier": "the secret of the page" });
    let note = "Good: as a sign-in, with `is_new_user`, and the tokens at the top as well as under `tokens`.";
    let call = Call::post("/api/auth/oauth/exchange/", code.clone());
    guide.call(call.titled("Redeem the code").note(note), 400).await;
    let note = "Takes one of `access_token`, `id_token` and `code`; what the provider issued counts only if it was \
                issued to this installation.";
    let token = json!({ "access_token": "from-google" });
    let call = Call::post("/api/auth/oauth/google/", token).titled("Bring a token of Google");
    guide.call(call.note(note), 404).await;
    let token = json!({ "access_token": "from-github" });
    let call = Call::post("/api/auth/oauth/github/", token).titled("Bring a token of GitHub");
    guide.call(call, 404).await;
    let path = "/api/auth/identities/";
    let call = Call::get(path).with_token(&people.ann).titled("What signs in to my account");
    guide.call(call, 200).await;
    let wish = json!({ "provider": "github" });
    let note = "Good: `authorize_url`, where the browser is sent as for a sign-in.";
    let call = Call::post("/api/auth/identities/link/", wish).with_token(&people.ann);
    guide.call(call.titled("Begin to link a provider").note(note), 404).await;
    let call = Call::post(path, code).with_token(&people.ann).titled("Finish the link");
    guide.call(call.note("With the session that began it."), 400).await;
    let id = "00000000-0000-4000-8000-000000000001";
    let call = Call::delete(format!("{path}{id}/")).with_token(&people.ann);
    guide.call(call.titled("Unlink").note("Never the last way in: 409 `last_way_in`."), 404).await;
}
