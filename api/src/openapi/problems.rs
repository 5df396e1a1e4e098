//! Refusals in the description: one shape for all, and for each operation the codes that it can answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, Schema};

use super::standard::header;
use crate::problem::catalogue::{self, Entry};

/// A refusal (RFC 9457). Field arrays stand under `details` and at the top level as well.
#[derive(ToSchema)]
#[schema(as = Problem)]
#[expect(dead_code, reason = "only the description is used; `Problem::body` writes it")]
pub struct ProblemBody {
    /// `/problems/` and the code.
    r#type: String,
    /// What the code means.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What happened this time.
    detail: String,
    /// The same as `detail`, where the existing frontend looks for it.
    error: String,
    /// Stable, for programs. `docs/PROBLEMS.md` lists all.
    code: String,
    /// What is wrong, by field; for a file, line by line.
    #[schema(required = false)]
    details: Details,
    /// The path that was asked for.
    #[schema(required = false)]
    instance: String,
    /// As in `X-Request-Id`: tell it when you ask for help.
    #[schema(required = false)]
    request_id: String,
}

/// Messages by field, or by line of a file.
#[derive(ToSchema)]
#[schema(as = ProblemDetails)]
#[expect(dead_code, reason = "only the description is used; `Problem::body` writes it")]
#[serde(untagged)]
enum Details {
    Fields(BTreeMap<String, Vec<String>>),
    Lines(Vec<String>),
}

/// The codes that a text names in backticks.
pub fn named(text: &str) -> impl Iterator<Item = &'static Entry> {
    text.split('`').skip(1).step_by(2).filter_map(catalogue::find)
}

/// The answers for these codes, one per status.
pub fn answers(codes: &BTreeSet<&'static str>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<u16, Vec<&Entry>> = BTreeMap::new();
    for entry in codes.iter().filter_map(|code| catalogue::find(code)) {
        by_status.entry(entry.status).or_default().push(entry);
    }
    by_status
        .into_iter()
        .map(|(status, entries)| (status.to_string(), answer(status, &entries).into()))
        .collect()
}

fn answer(status: u16, entries: &[&Entry]) -> Response {
    let lines = entries.iter().map(|entry| format!("`{}`: {}", entry.code, entry.title));
    let mut response = Response::new(lines.collect::<Vec<_>>().join("\n\n"));
    let codes = entries.iter().map(|entry| Value::from(entry.code));
    let narrowed = ObjectBuilder::new()
        .property("status", one_of(Type::Integer, [Value::from(status)]))
        .property("code", one_of(Type::String, codes));
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(narrowed);
    let content = ContentBuilder::new().schema(Some(Schema::from(schema.build()))).build();
    response.content.insert("application/problem+json".to_owned(), content.into());
    let names = match status {
        401 => &["X-Request-Id", "WWW-Authenticate"][..],
        429 | 503 => &["X-Request-Id", "Retry-After"][..],
        _ => &["X-Request-Id"][..],
    };
    response.headers.extend(names.iter().map(|name| header(name)));
    response
}

fn one_of(kind: Type, values: impl IntoIterator<Item = Value>) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(kind).enum_values(Some(values))
}
