//! Somebody who has one of everything that an account can have.

use keynest_crypto::TotpSecret;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::calls::{answer, post};
use super::factors::{Authenticator, passkeys, seconds, signed};
use super::oauth::identities::{finish, link_code};
use super::oauth::providers::{account, app_with_google};
use crate::app::TestApp;
use crate::person::{PASSWORD, Person, registration};
use crate::tokens::bearer;

/// In no name of the product, and in every text of this person.
pub const CANARY: &str = "quetzalcoatl";

/// The person, with what the person alone knows.
pub struct Everything {
    pub app: TestApp,
    pub person: Person,
    /// Living, and used once.
    pub token: Person,
    /// Texts that were shown once or never.
    pub secrets: Vec<String>,
    pub key: Authenticator,
}

impl Everything {
    /// An empty product with this person in it, and nobody else.
    pub async fn start(pool: PgPool) -> Self {
        let app = app_with_google(pool, "good").await;
        let mut body = registration(CANARY);
        body["first_name"] = json!(format!("First {CANARY}"));
        body["last_name"] = json!(format!("Last {CANARY}"));
        assert_eq!(post(&app, "/api/auth/register/", body).await.0, 201);
        app.activate_by_mail(&format!("{CANARY}@example.com")).await;
        let person = app.sign_in(CANARY).await;
        let names = json!({"first_name": format!("Second {CANARY}")});
        let renamed = app.as_person(&person, Method::PATCH, "/api/auth/profile/").json(&names);
        assert_eq!(answer(renamed).await.0, 200);
        let code = link_code(&app, &person, "google", &account(&format!("other-{CANARY}"))).await;
        assert_eq!(finish(&app, &person, &code).await.0, 201);
        let wish = json!({"name": format!("old {CANARY}"), "everywhere": true});
        let (_, ended) = app.token(&person, wish).await;
        let path = format!("/api/auth/tokens/{ended}/");
        assert_eq!(answer(app.as_person(&person, Method::DELETE, &path)).await.0, 204);
        let wish = json!({"name": format!("laptop {CANARY}"), "everywhere": true, "ip_ranges": ["127.0.0.0/8"]});
        let (token, _) = app.token(&person, wish).await;
        assert_eq!(answer(app.as_person(&token, Method::GET, "/api/core/projects/")).await.0, 200);
        let mut key = Authenticator::new("a laptop");
        let (status, enrolled) = passkeys::enrol(&app, &person, &mut key).await;
        assert_eq!(status, 201, "{enrolled}");
        let secret = enrol_app(&app, &person).await;
        let body =
            json!({"new_email": format!("new-{CANARY}@example.net"), "current_password": PASSWORD});
        let asked = app.as_person(&person, Method::POST, "/api/auth/change-email/").json(&body);
        assert_eq!(answer(asked).await.0, 200);
        app.catch_up().await;
        let mut secrets = vec![PASSWORD.to_owned(), token.access.clone(), secret];
        let codes = enrolled["recovery_codes"].as_array().unwrap().iter();
        secrets.extend(codes.map(|code| code.as_str().unwrap().to_owned()));
        Self { app, token: bearer(&person, &token.access), person, secrets, key }
    }
}

/// A second factor by another name; its secret.
async fn enrol_app(app: &TestApp, person: &Person) -> String {
    let path = "/api/auth/factors/totp/";
    let (status, offer) = signed(app, &person.access, path, json!({})).await;
    assert_eq!(status, 200, "{offer}");
    let text = offer["secret"].as_str().unwrap().to_owned();
    let code = TotpSecret::parse(&text).unwrap().code_at(seconds(app));
    let name = format!("phone of {CANARY}");
    let body = json!({"challenge": offer["challenge"], "code": code, "name": name});
    let (status, told): (u16, Value) =
        signed(app, &person.access, &format!("{path}confirm/"), body).await;
    assert_eq!(status, 201, "{told}");
    text
}
