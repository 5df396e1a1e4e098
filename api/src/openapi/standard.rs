//! Headers that many answers and requests have, described once.

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, Header, Ref, RefOr, Required};

/// Headers of answers: name, type, meaning.
const HEADERS: &[(&str, Type, &str)] = &[
    (
        "X-Request-Id",
        Type::String,
        "The id of this request, or the one that the client sent if it was a UUID.",
    ),
    ("WWW-Authenticate", Type::String, "`Bearer`."),
    ("Retry-After", Type::Integer, "Seconds until it is worth trying again."),
    ("RateLimit", Type::String, "What is left of the budget (the IETF draft's form)."),
    ("RateLimit-Policy", Type::String, "The budget."),
    ("X-RateLimit-Limit", Type::Integer, "Requests in a window."),
    ("X-RateLimit-Remaining", Type::Integer, "Requests left in this window."),
    ("X-RateLimit-Reset", Type::Integer, "When the next request is free, in seconds since 1970."),
    ("X-RateLimit-Window", Type::Integer, "Length of a window in seconds."),
    (
        "KeyNest-Position",
        Type::String,
        "Where this change stands; send it as `KeyNest-Min-Position` to read your write.",
    ),
    ("KeyNest-Visible", Type::String, "`false` if lists may not show this change yet."),
    ("Content-Disposition", Type::String, "`attachment` with the name of the file."),
    ("X-Decryption-Warnings", Type::Integer, "How many values of the file could not be opened."),
];

/// The headers of every throttled answer.
pub const THROTTLE: &[&str] = &[
    "RateLimit",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Window",
];

/// Adds the headers to the document's components.
pub fn define(components: &mut Components) {
    for (name, kind, meaning) in HEADERS {
        let mut header = Header::new(ObjectBuilder::new().schema_type(kind.clone()).build());
        header.description = Some((*meaning).to_owned());
        components.headers.insert((*name).to_owned(), header.into());
    }
}

/// A header of [`HEADERS`] as an answer refers to it.
pub fn header(name: &str) -> (String, RefOr<Header>) {
    (name.to_owned(), RefOr::Ref(Ref::new(format!("#/components/headers/{name}"))))
}

/// `Idempotency-Key` on a change.
pub fn idempotency_key() -> Parameter {
    let meaning =
        "Any text of up to 255 characters. The same key with the same request is done once.";
    let schema =
        ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).max_length(Some(255));
    parameter("Idempotency-Key", meaning, schema)
}

/// `KeyNest-Min-Position` on a query.
pub fn min_position() -> Parameter {
    let meaning =
        "A `KeyNest-Position` of an earlier answer: this answer shows at least that change.";
    parameter("KeyNest-Min-Position", meaning, ObjectBuilder::new().schema_type(Type::String))
}

fn parameter(name: &str, meaning: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(meaning))
        .schema(Some(schema.build()))
        .build()
}
