//! What holds for whole groups of operations, added to each, so that a handler states only what is its own.

use std::collections::BTreeSet;

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{OpenApi, PathItem, RefOr};

use super::{problems, standard};

/// The document with the answers, parameters and headers that follow from what an operation is.
pub fn complete(mut document: OpenApi) -> OpenApi {
    standard::define(document.components.get_or_insert_default());
    for (path, item) in &mut document.paths.paths {
        for (is_change, operation) in operations(item) {
            let kind = Kind::of(path, is_change, operation);
            kind.add_parameters(operation);
            let codes = kind.codes(operation);
            kind.add_headers(operation);
            operation.responses.responses.extend(problems::answers(&codes));
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (bool, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [(false, get), (true, put), (true, post), (true, delete), (true, patch)];
    all.into_iter().filter_map(|(is_change, operation)| Some((is_change, operation.as_mut()?)))
}

/// What decides which answers an operation shares with others.
struct Kind {
    is_change: bool,
    needs_token: bool,
    is_throttled: bool,
    is_paged: bool,
    has_id: bool,
    has_query: bool,
    has_body: bool,
}

impl Kind {
    fn of(path: &str, is_change: bool, operation: &Operation) -> Self {
        let anonymous = SecurityRequirement::default();
        let security = operation.security.as_deref().unwrap_or_default();
        let needs_token = !security.is_empty() && !security.contains(&anonymous);
        let is_query = |name: Option<&str>| {
            operation.parameters.iter().flatten().any(|parameter| match parameter {
                RefOr::T(it) => {
                    it.parameter_in == ParameterIn::Query && name.is_none_or(|name| it.name == name)
                }
                RefOr::Ref(_) => false,
            })
        };
        Self {
            is_change,
            needs_token,
            is_throttled: needs_token || path.starts_with("/api/auth/"),
            is_paged: is_query(Some("page")),
            has_id: path.contains('{'),
            has_query: is_query(None),
            has_body: operation.request_body.is_some(),
        }
    }

    fn add_parameters(&self, operation: &mut Operation) {
        let parameter = match (self.is_change, self.needs_token) {
            (true, _) => standard::idempotency_key(),
            (false, true) => standard::min_position(),
            (false, false) => return,
        };
        operation.parameters.get_or_insert_default().push(parameter.into());
    }

    /// The codes that the handler names, and those that follow from the kind.
    fn codes(&self, operation: &Operation) -> BTreeSet<&'static str> {
        let mut codes = BTreeSet::from(["internal", "unavailable", "timed_out"]);
        for response in operation.responses.responses.values() {
            if let RefOr::T(response) = response {
                codes.extend(problems::named(&response.description).map(|entry| entry.code));
            }
        }
        let groups: [(bool, &[&str]); 8] = [
            (self.needs_token, &["credentials_missing", "token_not_valid", "user_inactive"]),
            (self.is_throttled, &["throttled"]),
            (self.has_id || self.is_paged, &["not_found"]),
            (self.has_query, &["validation"]),
            (
                self.has_body,
                &[
                    "validation",
                    "invalid_json",
                    "invalid_body",
                    "body_too_large",
                    "body_too_slow",
                    "unsupported_media_type",
                ],
            ),
            (self.is_change, &["idempotency_key_invalid", "idempotency_mismatch"]),
            (
                self.is_change,
                &[
                    "busy",
                    "too_large",
                    "log_damaged",
                    "newer_than_this_binary",
                    "format_level_too_low",
                ],
            ),
            (!self.is_change && self.needs_token, &["position_unknown", "read_model_behind"]),
        ];
        for (applies, group) in groups {
            codes.extend(group.iter().filter(|_| applies));
        }
        codes
    }

    fn add_headers(&self, operation: &mut Operation) {
        let mut names = vec!["X-Request-Id"];
        if self.is_throttled {
            names.extend(standard::THROTTLE);
        }
        if self.is_change && self.needs_token {
            names.extend(["KeyNest-Position", "KeyNest-Visible"]);
        }
        for (status, response) in &mut operation.responses.responses {
            let RefOr::T(response) = response else { continue };
            if status.starts_with('2') {
                response.headers.extend(names.iter().map(|name| standard::header(name)));
                if response.description.is_empty() {
                    "Done.".clone_into(&mut response.description);
                }
            }
        }
    }
}
