//! Personal and service tokens, and access tokens of services, as their bearers meet them.

mod ends;
mod exchange;
mod making;
mod scope_matrix;
mod services;
mod throttles;

use keynest_domain::{Aggregate, UserId, user::User};
use serde_json::{Value, json};

use crate::app::TestApp;
use crate::core::team::{Answer, Team};
use crate::person::Person;

/// Whoever holds a token, with the token where a person has an access token.
pub fn bearer(owner: &Person, token: &str) -> Person {
    Person { access: token.to_owned(), refresh: String::new(), ..owner.clone() }
}

impl TestApp {
    /// Asks for a personal token.
    pub async fn ask_token(&self, owner: &Person, wish: Value) -> Answer {
        self.make(owner, "/api/auth/tokens/", wish).await
    }

    /// A personal token and its number.
    pub async fn token(&self, owner: &Person, wish: Value) -> (Person, i64) {
        let mut named = json!({"name": "laptop"});
        named.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let made = self.ask_token(owner, named).await.expect(201);
        (bearer(owner, made.body["token"].as_str().unwrap()), made.id())
    }

    /// How many events an account has.
    pub async fn events_of(&self, person: &Person) -> usize {
        let stream = User::stream(UserId::new(person.id));
        let none = keynest_store::Revision::NONE;
        self.app.commands.store().read_stream(&stream, none).await.unwrap().len()
    }
}

impl Team {
    /// A token of the organization and its number.
    pub async fn service(&self, wish: Value) -> (Person, i64) {
        let mut named = json!({"name": "deploy robot"});
        named.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let path = format!("organizations/{}/tokens/", self.organization);
        let made = self.app.make(&self.admin, &path, named).await.expect(201);
        let id = made.id();
        let token = made.body["token"].as_str().unwrap();
        (Person { id, ..bearer(&self.admin, token) }, id)
    }

    /// The status that a bearer gets for the environment's variables.
    pub async fn status_for(&self, bearer: &Person) -> u16 {
        let path = format!("environments/{}/variables/", self.environment);
        self.app.read(bearer, &path).await.status.as_u16()
    }
}
