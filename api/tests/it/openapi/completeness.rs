//! The description says enough to write a client from it.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::PgPool;

use super::document::Document;
use crate::app::TestApp;

/// Wishes that say everything in their path.
const WITHOUT_BODY: [&str; 6] = [
    "}/deactivate/",
    "}/reactivate/",
    "/account/deactivate/",
    "/options/",
    "/factors/totp/",
    "/factors/recovery-codes/",
];

#[sqlx::test(migrations = false)]
async fn every_operation_has_a_name_a_summary_and_schemas(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    assert!(document.0["openapi"].as_str().unwrap().starts_with("3.1."));
    let mut ids = BTreeSet::new();
    for operation in document.operations() {
        let name = operation.name();
        assert!(
            ids.insert(operation.body["operationId"].as_str().unwrap()),
            "{name}: id used twice"
        );
        assert!(operation.body["summary"].as_str().is_some_and(|it| !it.is_empty()), "{name}");
        let is_bare = WITHOUT_BODY.iter().any(|end| operation.path.ends_with(end));
        if ["POST", "PUT", "PATCH"].contains(&operation.method.as_str()) && !is_bare {
            assert!(!operation.body["requestBody"].is_null(), "{name} has no body");
        }
        let good = operation.answers().iter().filter(|(status, _)| status.starts_with('2'));
        for (status, answer) in good {
            let has_body = answer["content"].as_object().is_some_and(|it| !it.is_empty());
            assert_eq!(has_body, status != "204", "{name} {status}");
        }
    }
}

#[sqlx::test(migrations = false)]
async fn every_refusal_is_a_problem_with_the_codes_that_occur(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    for operation in document.operations() {
        let name = operation.name();
        for (status, answer) in operation.answers().iter().filter(|(it, _)| !it.starts_with('2')) {
            let kinds: Vec<_> = answer["content"].as_object().unwrap().keys().collect();
            assert_eq!(kinds, ["application/problem+json"], "{name} {status}");
            let codes = operation.codes(status);
            assert!(!codes.is_empty(), "{name} {status} has no codes");
            for code in codes {
                let entry = keynest_api::catalogue::find(code).unwrap();
                assert_eq!(entry.status.to_string(), *status, "{name}: {code}");
            }
        }
        assert_eq!(operation.codes("401").is_empty(), !operation.needs_token(), "{name}");
        assert!(!operation.codes("500").is_empty() && !operation.codes("503").is_empty(), "{name}");
    }
}

#[sqlx::test(migrations = false)]
async fn every_reference_leads_somewhere(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let document = Document::of(&app).await;
    let mut references = BTreeSet::new();
    collect(&document.0, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let target = document.0.pointer(reference.strip_prefix('#').unwrap());
        assert!(target.is_some(), "{reference} leads nowhere");
    }
}

fn collect<'a>(value: &'a Value, references: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
