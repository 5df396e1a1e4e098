//! One request of the guide, as its text shows it.

use reqwest::{Method, header};
use serde_json::Value;

/// Parts of the one form of the guide.
const BOUNDARY: &str = "guide";

/// What is asked, and what the guide says about it.
pub struct Call {
    pub method: Method,
    pub path: String,
    pub title: &'static str,
    pub note: &'static str,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

/// The body of a request.
pub enum Body {
    None,
    Json(Value),
    Text(String),
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        let (title, note, headers) = ("", "", Vec::new());
        Self { method, path: path.into(), title, note, headers, body: Body::None }
    }

    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn post(path: impl Into<String>, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::new(Method::POST, path) }
    }

    pub fn put(path: impl Into<String>, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::new(Method::PUT, path) }
    }

    pub fn patch(path: impl Into<String>, body: Value) -> Self {
        Self { body: Body::Json(body), ..Self::new(Method::PATCH, path) }
    }

    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub fn options(path: impl Into<String>) -> Self {
        Self::new(Method::OPTIONS, path)
    }

    /// The heading of this example.
    pub fn titled(self, title: &'static str) -> Self {
        Self { title, ..self }
    }

    /// What a reader should know.
    pub fn note(self, note: &'static str) -> Self {
        Self { note, ..self }
    }

    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// As somebody who is signed in.
    pub fn with_token(self, access: &str) -> Self {
        self.header("Authorization", format!("Bearer {access}"))
    }

    pub fn json(self, body: Value) -> Self {
        Self { body: Body::Json(body), ..self }
    }

    /// Instead of what a body was.
    pub fn without_body(self) -> Self {
        Self { body: Body::None, ..self }
    }

    /// A body that is no JSON.
    pub fn text(self, kind: &'static str, text: &str) -> Self {
        Self { body: Body::Text(text.to_owned()), ..self }.header("Content-Type", kind)
    }

    /// A form with a file, as a browser sends it.
    pub fn file(self, name: &str, text: &str, fields: &[(&str, &str)]) -> Self {
        let mut form = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{text}\r\n"
        );
        for (field, value) in fields {
            form += &format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n"
            );
        }
        form += &format!("--{BOUNDARY}--\r\n");
        self.text("multipart/form-data; boundary=guide", &form)
    }

    /// The path of the description's operation, without the query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }

    /// The headers that the text shows.
    pub fn shown_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if matches!(self.body, Body::Json(_)) {
            headers.push(("Content-Type", "application/json".to_owned()));
        }
        headers
    }

    /// What is sent as the body.
    pub fn sent(&self) -> Option<(Option<header::HeaderValue>, String)> {
        match &self.body {
            Body::None => None,
            Body::Json(body) => {
                let kind = header::HeaderValue::from_static("application/json");
                Some((Some(kind), body.to_string()))
            }
            Body::Text(text) => Some((None, text.clone())),
        }
    }
}
