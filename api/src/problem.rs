//! A refusal as its caller sees it: RFC 9457 with the fields that the existing frontend reads (CONTRACT 1.0).

mod account;
pub mod catalogue;
mod command;
mod resource;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;

use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keynest_domain::OrganizationId;
use keynest_domain::limits::Policy;
use serde_json::{Map, Value};

use catalogue::Entry;

/// Media type of every refusal.
pub const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
/// The type of `throttled` (draft-ietf-httpapi-ratelimit-headers-10, section 6.1).
pub const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";
/// The field name of what is wrong with the body as a whole.
pub const WHOLE_BODY: &str = "non_field_errors";
/// Fields that `detail` names before it is cut short.
const FIELDS_IN_DETAIL_MAX: usize = 3;

/// A refusal: a code of the catalogue, and what this case adds. Never holds a secret or an internal cause.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    entry: &'static Entry,
    detail: String,
    fields: BTreeMap<String, Vec<String>>,
    extra: Map<String, Value>,
    retry_after: Option<u32>,
    headers: Vec<(HeaderName, HeaderValue)>,
    organization: Option<OrganizationId>,
}

impl Problem {
    /// The problem of a code in the catalogue. A test compares every code in the source with the catalogue;
    /// one that is missing all the same is answered as `internal`.
    pub fn new(code: &str) -> Self {
        let entry = catalogue::find(code).unwrap_or_else(|| {
            tracing::error!(code, "problem code is not in the catalogue");
            &catalogue::INTERNAL
        });
        let mut headers = Vec::new();
        if entry.status == 401 {
            headers.push((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        Self(Box::new(Parts {
            entry,
            detail: entry.title.to_owned(),
            fields: BTreeMap::new(),
            extra: Map::new(),
            retry_after: entry.retry_after,
            headers,
            organization: None,
        }))
    }

    /// `validation`: what is wrong, field by field.
    pub fn validation<F: Into<String>, M: Into<String>>(
        fields: impl IntoIterator<Item = (F, M)>,
    ) -> Self {
        let mut problem = Self::new("validation");
        for (field, message) in fields {
            problem.0.fields.entry(field.into()).or_default().push(message.into());
        }
        problem.0.detail = summary(&problem.0.fields);
        problem
    }

    /// `throttled`: a quota is used up for so many seconds.
    pub fn throttled(policy: Policy, seconds: u32) -> Self {
        let detail = format!("Too many requests. Try again in {seconds} s.");
        let problem = Self::new("throttled").detail(detail).retry_after(seconds);
        problem.with("violated-policies", vec![policy.name()])
    }

    /// `internal`: logs the cause with its chain, tells the caller nothing of it.
    pub fn internal(cause: &(dyn Error + 'static)) -> Self {
        Self::new("internal").caused_by(cause)
    }

    /// `unavailable`: something that this process needs does not answer. Logs the cause.
    pub fn unavailable(cause: &(dyn Error + 'static)) -> Self {
        Self::new("unavailable").caused_by(cause)
    }

    /// Logs the cause with its chain. Nothing of it is sent.
    #[must_use]
    pub fn caused_by(self, cause: &(dyn Error + 'static)) -> Self {
        let code = self.code();
        if self.0.entry.status >= 500 {
            tracing::error!(code, cause = chain(cause), "request failed");
        } else {
            tracing::info!(code, cause = chain(cause), "request refused");
        }
        self
    }

    /// What happened this time, as `detail` and `error`.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = detail.into();
        self
    }

    /// One more thing that is wrong with a field.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.fields.entry(field.into()).or_default().push(message.into());
        self
    }

    /// One more member of the body. The standard members cannot be replaced.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.extra.insert(name.into(), value.into());
        self
    }

    /// When it is worth trying again, in seconds.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The methods that the path does have.
    #[must_use]
    pub fn allow(self, methods: HeaderValue) -> Self {
        self.header(ALLOW, methods)
    }

    /// One more header of the answer.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// What happened this time.
    pub fn text(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong with the fields, for a page.
    pub fn field_messages(&self) -> impl Iterator<Item = &str> {
        self.0.fields.values().flatten().map(String::as_str)
    }

    /// Whose object was asked for: files the refusal in the audit log, and is not told.
    #[must_use]
    pub fn within(mut self, organization: OrganizationId) -> Self {
        self.0.organization = Some(organization);
        self
    }

    /// Whose object was asked for, if that is known.
    pub fn organization(&self) -> Option<OrganizationId> {
        self.0.organization
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.entry.code
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The body, with the members that only the middleware knows where they are known.
    pub fn body(&self, instance: Option<&str>, request_id: Option<&str>) -> Value {
        let parts = &*self.0;
        let mut body = Map::new();
        // Field arrays at the top level first, so that no field name can replace a standard member.
        for (field, messages) in &parts.fields {
            body.insert(field.clone(), Value::from(messages.clone()));
        }
        body.extend(parts.extra.clone());
        let of_catalogue = || format!("/problems/{}", parts.entry.code);
        let registered = (parts.entry.code == "throttled").then(|| QUOTA_EXCEEDED.to_owned());
        body.insert("type".into(), registered.unwrap_or_else(of_catalogue).into());
        body.insert("title".into(), parts.entry.title.into());
        body.insert("status".into(), parts.entry.status.into());
        body.insert("detail".into(), parts.detail.clone().into());
        body.insert("error".into(), parts.detail.clone().into());
        body.insert("code".into(), parts.entry.code.into());
        if !parts.fields.is_empty() {
            let details =
                parts.fields.iter().map(|(name, texts)| (name.clone(), Value::from(texts.clone())));
            body.insert("details".into(), Value::Object(details.collect()));
        }
        if let Some(instance) = instance {
            body.insert("instance".into(), instance.into());
        }
        if let Some(id) = request_id {
            body.insert("request_id".into(), id.into());
        }
        Value::Object(body)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.body(None, None).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, PROBLEM_JSON);
        if let Some(seconds) = self.0.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        for (name, value) in self.0.headers.clone() {
            headers.insert(name, value);
        }
        // The middleware writes the body again, with `instance` and `request_id`.
        response.extensions_mut().insert(self);
        response
    }
}

fn summary(fields: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = String::new();
    for (field, messages) in fields.iter().take(FIELDS_IN_DETAIL_MAX) {
        let separator = if text.is_empty() { "" } else { " " };
        let message = messages.first().map_or("", String::as_str);
        let _ = match field.as_str() {
            WHOLE_BODY => write!(text, "{separator}{message}"),
            _ => write!(text, "{separator}{field}: {message}"),
        };
    }
    text
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_appear_under_details_and_at_the_top() {
        let body =
            Problem::validation([("email", "Enter a valid address."), ("name", "Required.")])
                .body(Some("/api/x/"), Some("r1"));
        assert_eq!(body["email"], serde_json::json!(["Enter a valid address."]));
        assert_eq!(body["details"]["name"], serde_json::json!(["Required."]));
        assert_eq!(body["error"], body["detail"]);
        assert_eq!(body["detail"], "email: Enter a valid address. name: Required.");
        assert_eq!(body["type"], "/problems/validation");
        assert_eq!((&body["instance"], &body["request_id"]), (&"/api/x/".into(), &"r1".into()));
    }

    #[test]
    fn a_field_named_like_a_standard_member_does_not_replace_it() {
        let body =
            Problem::validation([("status", "Wrong.")]).with("code", "mine").body(None, None);
        assert_eq!((&body["status"], &body["code"]), (&400.into(), &"validation".into()));
        assert_eq!(body["details"]["status"], serde_json::json!(["Wrong."]));
    }

    #[test]
    fn bad_credentials_carry_the_text_the_frontend_knows() {
        let problem = Problem::new("invalid_credentials");
        assert_eq!(problem.body(None, None)["error"], "Invalid credentials");
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn every_unauthorized_answer_names_the_scheme() {
        let response = Problem::new("token_not_valid").into_response();
        assert_eq!(response.headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
    }
}
