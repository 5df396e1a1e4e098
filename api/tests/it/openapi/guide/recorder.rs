//! Asks, checks each answer against the description, and writes the guide.

use std::collections::BTreeSet;
use std::fmt::Write;

use reqwest::Response;
use serde_json::Value;

use super::call::{Body, Call};
use super::mask::Mask;
use crate::app::TestApp;
use crate::openapi::document::{Document, Operation};

/// Headers of answers that the guide shows.
const SHOWN: [&str; 12] = [
    "content-type",
    "keynest-position",
    "keynest-visible",
    "retry-after",
    "allow",
    "www-authenticate",
    "content-disposition",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-expose-headers",
    "access-control-max-age",
];

/// The guide as far as it was walked.
pub struct Recorder<'a> {
    pub app: &'a TestApp,
    pub mask: Mask,
    pub document: Document,
    text: String,
    visited: BTreeSet<String>,
}

/// What came back.
pub struct Answer {
    pub position: Option<String>,
    pub body: Value,
}

impl<'a> Recorder<'a> {
    pub fn new(app: &'a TestApp, document: Document, introduction: &str) -> Self {
        let (mask, visited) = (Mask::default(), BTreeSet::new());
        Self { app, mask, document, text: introduction.to_owned(), visited }
    }

    pub fn chapter(&mut self, title: &str, text: &str) {
        let _ = write!(self.text, "\n## {title}\n\n{text}\n");
    }

    /// Asks, expects this status, and writes both down.
    pub async fn call(&mut self, call: Call, status: u16) -> Answer {
        let response = self.send(&call).await;
        assert_eq!(
            response.status(),
            status,
            "{} {}: {}",
            call.method,
            call.path,
            response.text().await.unwrap()
        );
        self.write_request(&call);
        self.write_answer(&call, response).await
    }

    async fn send(&self, call: &Call) -> Response {
        let mut request = self.app.request(call.method.clone(), &call.path);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some((kind, body)) = call.sent() {
            request = request.body(body);
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
        }
        request.send().await.unwrap()
    }

    fn write_request(&mut self, call: &Call) {
        let _ = write!(self.text, "\n### {}\n\n", call.title);
        if !call.note.is_empty() {
            let _ = write!(self.text, "{}\n\n", call.note);
        }
        let path = self.mask.path(&call.path);
        let _ = writeln!(self.text, "```http\n{} {path}", call.method);
        for (name, value) in call.shown_headers() {
            let value = self.mask.text(&value);
            let _ = writeln!(self.text, "{name}: {value}");
        }
        match &call.body {
            Body::None => {}
            Body::Json(body) => {
                let body = self.mask.value("", body);
                let _ = writeln!(self.text, "\n{body:#}");
            }
            Body::Text(text) => {
                let _ = writeln!(self.text, "\n{}", text.replace("\r\n", "\n").trim_end());
            }
        }
        self.text += "```\n\n";
    }

    async fn write_answer(&mut self, call: &Call, response: Response) -> Answer {
        let status = response.status();
        let headers = response.headers().clone();
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        self.check(call, status.as_u16(), &body);
        let _ = writeln!(self.text, "```http\n{status}");
        let position = headers.get("keynest-position").map(|it| it.to_str().unwrap().to_owned());
        self.mask.secret(position.clone().unwrap_or_default(), "<position>");
        for name in SHOWN {
            if let Some(value) = headers.get(name) {
                let value = match name {
                    "retry-after" => "<seconds>".to_owned(),
                    _ => self.mask.text(value.to_str().unwrap()),
                };
                let _ = writeln!(self.text, "{name}: {value}");
            }
        }
        if text.starts_with(['{', '['])
            && headers["content-type"].to_str().unwrap().contains("json")
        {
            let body = self.mask.value("", &body);
            let _ = writeln!(self.text, "\n{body:#}");
        } else if !text.is_empty() {
            let _ = writeln!(self.text, "\n{}", text.trim_end());
        }
        self.text += "```\n";
        Answer { position, body }
    }

    /// The answer is one that the description has, with a code that it has.
    fn check(&mut self, call: &Call, status: u16, body: &Value) {
        let operations = self.document.operations();
        let found = operations
            .iter()
            .find(|it| it.method == call.method.as_str() && is_at(&it.path, call.bare_path()));
        let Some(operation) = found else {
            assert!(
                [204, 404, 405].contains(&status),
                "{} {} is not described",
                call.method,
                call.path
            );
            return;
        };
        self.visited.insert(operation.name());
        let status = status.to_string();
        assert!(operation.answers().contains_key(&status), "{} answers {status}", operation.name());
        if let (false, Some(code)) = (status.starts_with('2'), body["code"].as_str()) {
            assert!(
                operation.codes(&status).contains(&code),
                "{} answers {code}",
                operation.name()
            );
        }
    }

    /// The whole text, once every operation of the description was shown.
    pub fn finish(self) -> String {
        let all: BTreeSet<String> =
            self.document.operations().iter().map(Operation::name).collect();
        let missing: Vec<_> = all.difference(&self.visited).collect();
        assert!(missing.is_empty(), "the guide does not show {missing:?}");
        self.text
    }
}

/// Whether a path is one of a template.
fn is_at(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    let fits = |(wanted, part): (&&str, &&str)| wanted.starts_with('{') || wanted == part;
    template.len() == path.len() && template.iter().zip(&path).all(fits)
}
