//! From the first look to a session, and to its end.

use serde_json::json;

use super::call::Call;
use super::people::{People, mailed, text};
use super::recorder::Recorder;

const PASSWORD: &str = "correct-Horse-7-battery";
const NEXT_PASSWORD: &str = "another-Horse-8-battery";
pub const LAST_PASSWORD: &str = "the-third-Horse-9-battery";
pub const ANN: &str = "ann@example.com";

pub async fn discover(guide: &mut Recorder<'_>) {
    guide.chapter(
        "What the server says of itself",
        "Needs no account. `status/` also tells who asks.",
    );
    for (path, title) in [
        ("/api/", "The index"),
        ("/health/", "Whether it lives"),
        ("/api/auth/status/", "Status"),
        ("/api/auth/config/", "Configuration and limits"),
        ("/.well-known/jwks.json", "The keys that verify access tokens"),
    ] {
        guide.call(Call::get(path).titled(title), 200).await;
    }
}

pub async fn register(guide: &mut Recorder<'_>, people: &mut People) {
    let text = "An account is usable once the mailed link was opened. The answer is the same whether the address was \
                free or not.";
    guide.chapter("Registration", text);
    let path = "/api/auth/register/";
    let refused = json!({ "username": "a b", "email": "nobody", "password": "short", "confirm_password": "other" });
    let note = "Every bad field is named at once, under `details` and at the top level.";
    guide.call(Call::post(path, refused).titled("Register with mistakes").note(note), 400).await;
    let wish = |name: &str, first: &str, last: &str| {
        json!({
            "username": name, "email": format!("{name}@example.com"), "password": PASSWORD,
            "confirm_password": PASSWORD, "first_name": first, "last_name": last,
        })
    };
    let note = "`user` is null and both tokens are empty: there is no session yet.";
    guide
        .call(Call::post(path, wish("ann", "Ann", "Lee")).titled("Register").note(note), 201)
        .await;
    let login = json!({ "email": ANN, "password": PASSWORD });
    let call = Call::post("/api/auth/login/", login).titled("Sign in too early");
    guide.call(call.note("Only told to somebody who knows the password."), 403).await;
    let call = Call::post("/api/auth/activation/resend/", json!({ "email": ANN }));
    guide.call(call.titled("Ask for another activation mail"), 200).await;
    let parts = mailed(guide, ANN).await;
    let note = "`uid` and `token` are the last two parts of the mailed link.";
    let link = json!({ "uid": parts[0], "token": parts[1] });
    guide.call(Call::post("/api/auth/activate/", link).titled("Activate").note(note), 200).await;
    let bob = guide.app.post(path).json(&wish("bob", "", "")).send().await.unwrap();
    assert_eq!(bob.status(), 201);
    guide.app.activate_by_mail("bob@example.com").await;
    people.bob = guide.app.sign_in("bob").await.access;
    guide.mask.secret(people.bob.clone(), "<access token of Bob>");
}

pub async fn sign_in(guide: &mut Recorder<'_>, people: &mut People) {
    let about = "Send `Authorization: Bearer <access token>` with every call below. When an answer is 401, exchange the \
                 refresh token once and repeat the call.";
    guide.chapter("Sign-in and tokens", about);
    let path = "/api/auth/login/";
    let wrong = json!({ "email": ANN, "password": "wrong-Horse-1-battery" });
    guide
        .call(
            Call::post(path, wrong).titled("Sign in with a wrong password").note("Never 401."),
            400,
        )
        .await;
    let right = json!({ "email": ANN, "password": PASSWORD });
    let answer = guide.call(Call::post(path, right).titled("Sign in"), 200).await;
    let refresh = text(&answer.body, "refresh");
    let note = "The answer has a new refresh token. The old one stays good until the new one is used, so that two tabs \
                may refresh at the same time.";
    let call = Call::post("/api/auth/token/refresh/", json!({ "refresh": refresh }));
    let answer = guide.call(call.titled("Refresh").note(note), 200).await;
    people.ann = text(&answer.body, "access");
    people.ann_refresh = text(&answer.body, "refresh");
    let call = Call::post("/api/auth/token/refresh/", json!({ "refresh": "made-up" }));
    let note = "The session is over: forget both tokens and show the sign-in page.";
    guide.call(call.titled("Refresh with a bad token").note(note), 400).await;
}

pub async fn profile(guide: &mut Recorder<'_>, people: &People) {
    guide.chapter("The caller's account", "");
    let path = "/api/auth/profile/";
    let call = Call::get(path).with_token(&people.ann).titled("Profile");
    guide.call(call.note("The account stands under `user` and at the top level."), 200).await;
    let call = Call::patch(path, json!({ "last_name": "Li" })).with_token(&people.ann);
    guide.call(call.titled("Change the profile"), 200).await;
    let whole = json!({ "first_name": "Ann", "last_name": "Lee", "notices": false });
    let call = Call::put(path, whole).with_token(&people.ann).titled("Replace the profile");
    guide.call(call.note("`notices` is about mails that are not for security."), 200).await;
    let call = Call::get("/api/auth/status/").with_token(&people.ann);
    guide.call(call.titled("Status, signed in"), 200).await;
}

pub async fn passwords(guide: &mut Recorder<'_>, people: &mut People) {
    guide.chapter(
        "Passwords and signing out",
        "A new password ends the other sessions, a reset ends all.",
    );
    let change = json!({
        "current_password": PASSWORD, "new_password": NEXT_PASSWORD, "confirm_new_password": NEXT_PASSWORD,
    });
    let call = Call::post("/api/auth/change-password/", change).with_token(&people.ann);
    let note = "Also understood with `old_password` and `confirm_password`.";
    guide.call(call.titled("Change the password").note(note), 200).await;
    let call = Call::post("/api/auth/password-reset/", json!({ "email": ANN }));
    let note = "The same answer for every address.";
    guide.call(call.titled("Ask for a reset link").note(note), 200).await;
    let parts = mailed(guide, ANN).await;
    let confirm = json!({
        "uid": parts[0], "token": parts[1], "new_password": LAST_PASSWORD, "confirm_password": LAST_PASSWORD,
    });
    let call = Call::post("/api/auth/password-reset-confirm/", confirm.clone());
    guide.call(call.titled("Set a new password by the link"), 200).await;
    let call = Call::post("/api/auth/password-reset-confirm/", confirm);
    guide.call(call.titled("Use the link again"), 400).await;
    let call = Call::get("/api/auth/profile/").with_token(&people.ann);
    guide.call(call.titled("A session from before the reset"), 401).await;
    let login = json!({ "email": ANN, "password": LAST_PASSWORD });
    let answer =
        guide.call(Call::post("/api/auth/login/", login).titled("Sign in again"), 200).await;
    people.ann = text(&answer.body, "access");
    let call = Call::post("/api/auth/logout/", json!({})).without_body().with_token(&people.ann);
    let note = "Needs no body, and succeeds with an expired or missing token as well.";
    guide.call(call.titled("Sign out").note(note), 200).await;
}
