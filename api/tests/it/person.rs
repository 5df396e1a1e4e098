//! A person who uses the product: registered, activated by mail, signed in.

use keynest_commands::Origin;
use keynest_domain::Email;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::app::TestApp;

/// A password that the policy accepts.
pub const PASSWORD: &str = "correct-Horse-7-battery";

/// A signed-in person.
#[derive(Clone, Debug)]
pub struct Person {
    pub id: i64,
    pub username: String,
    pub email: String,
    pub access: String,
    pub refresh: String,
}

/// What a client sends to register.
pub fn registration(username: &str) -> Value {
    json!({
        "username": username, "email": format!("{username}@example.com"), "password": PASSWORD,
        "confirm_password": PASSWORD, "first_name": "", "last_name": "",
    })
}

/// The path of the first link in a mail, without its origin.
pub fn link_path(text: &str) -> String {
    let link = text.lines().find(|line| line.starts_with("http")).expect("the mail has a link");
    let path = link.splitn(4, '/').nth(3).expect("the link has a path");
    format!("/{path}")
}

impl TestApp {
    /// Registers, activates with the link from the mail, and signs in, all over HTTP.
    pub async fn register_active(&self, username: &str) -> Person {
        let registered =
            self.post("/api/auth/register/").json(&registration(username)).send().await.unwrap();
        assert_eq!(registered.status(), 201, "{}", registered.text().await.unwrap());
        self.activate_by_mail(&format!("{username}@example.com")).await;
        self.sign_in(username).await
    }

    /// Uses the activation link that was mailed to an address.
    pub async fn activate_by_mail(&self, email: &str) {
        let path = link_path(&self.mail_to(email).await.body_text);
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let body = json!({"uid": parts[1], "token": parts[2]});
        let activated = self.post("/api/auth/activate/").json(&body).send().await.unwrap();
        assert_eq!(activated.status(), 200, "{}", activated.text().await.unwrap());
    }

    /// Signs in with the usual password.
    pub async fn sign_in(&self, username: &str) -> Person {
        let email = format!("{username}@example.com");
        let body = json!({"email": email, "password": PASSWORD});
        let answer = self.post("/api/auth/login/").json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "sign in {username}");
        let answer: Value = answer.json().await.unwrap();
        Person {
            id: answer["user"]["id"].as_i64().unwrap(),
            username: username.to_owned(),
            email,
            access: answer["access"].as_str().unwrap().to_owned(),
            refresh: answer["refresh"].as_str().unwrap().to_owned(),
        }
    }

    /// Lets the operator make somebody an administrator of the instance.
    pub async fn grant(&self, person: &Person) {
        let origin = Origin::product(self.clock.request_id());
        let address = Email::parse(&person.email).unwrap();
        let done = self.app.commands.grant_administrator(&origin, address).await.unwrap();
        assert!(done.position.is_some());
    }

    /// A request with somebody's access token.
    pub fn as_person(&self, person: &Person, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&person.access)
    }
}
