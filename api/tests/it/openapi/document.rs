//! The description as a test reads it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::app::TestApp;

/// Methods that a path may have in the description.
pub const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The served description.
pub struct Document(pub Value);

/// One operation of it.
pub struct Operation<'a> {
    pub method: String,
    pub path: String,
    pub body: &'a Value,
}

impl Document {
    pub async fn of(app: &TestApp) -> Self {
        let answer = app.get(keynest_api::DOCUMENT_PATH).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/json");
        Self(answer.json().await.unwrap())
    }

    /// Paths with the operations of each.
    pub fn paths(&self) -> BTreeMap<&str, &Map<String, Value>> {
        let paths = self.0["paths"].as_object().unwrap();
        paths.iter().map(|(path, item)| (path.as_str(), item.as_object().unwrap())).collect()
    }

    pub fn operations(&self) -> Vec<Operation<'_>> {
        let mut all = Vec::new();
        for (path, item) in self.paths() {
            for (method, body) in item.iter().filter(|(name, _)| METHODS.contains(&name.as_str())) {
                all.push(Operation { method: method.to_uppercase(), path: path.to_owned(), body });
            }
        }
        all
    }
}

impl Operation<'_> {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether nobody gets an answer without a token.
    pub fn needs_token(&self) -> bool {
        let security = self.body["security"].as_array();
        security.is_some_and(|ways| ways.iter().all(|way| way.get("bearer").is_some()))
    }

    /// The answers by status.
    pub fn answers(&self) -> &Map<String, Value> {
        self.body["responses"].as_object().unwrap()
    }

    /// The codes that an answer of this status may have.
    pub fn codes(&self, status: &str) -> Vec<&str> {
        let schema =
            &self.body["responses"][status]["content"]["application/problem+json"]["schema"];
        let codes = schema["allOf"][1]["properties"]["code"]["enum"].as_array();
        codes.into_iter().flatten().map(|code| code.as_str().unwrap()).collect()
    }

    /// A path that the route takes, about things that do not exist.
    pub fn example_path(&self) -> String {
        example_path(&self.path)
    }
}

/// A path with ids in the place of its parameters.
pub fn example_path(path: &str) -> String {
    path.replace("{id}", "9007199254740991")
        .replace("{invitation_id}", "018f0000-0000-7000-8000-000000000000")
}
