//! The API's description, made from the code, and a page to browse it that needs no network.

mod general;
mod page;
mod problems;
mod standard;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};

use crate::App;

pub use general::complete;

/// Where the document is served.
pub const DOCUMENT_PATH: &str = "/api/openapi.json";
/// Where the page is served.
pub const PAGE_PATH: &str = "/api/docs";
/// The name of the security scheme, as the routes write it.
const BEARER: &str = "bearer";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "KeyNest",
        version = "1.0.0",
        description = "Environment variables and secrets of teams, and everything that ever happened to them.\n\n\
            Refusals are `application/problem+json` with a stable `code`. What comes before a route is known is not \
            repeated at each: 400 `bad_request`, 404 `not_found`, 405 `method_not_allowed`, 408 `header_too_slow`, \
            431 `header_too_large`. Paths are served with and without the slash at their end. \
            `docs/FRONTEND_INTEGRATION.md` shows every endpoint with a real request and its real answer.",
    ),
    components(schemas(problems::ProblemBody)),
    modifiers(&Bearer),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("The `access` token that sign-in and refresh give."));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    }
}

/// The document before the routes are added.
pub fn base() -> OpenApi {
    Document::openapi()
}

/// The document and the page.
pub fn router(document: &OpenApi) -> Router<App> {
    let text = serde_json::to_vec(document).expect("a description has only text keys");
    let text = Bytes::from(text);
    let document = get(async move || ([(CONTENT_TYPE, "application/json")], text.clone()));
    Router::new().route(DOCUMENT_PATH, document).merge(page::router())
}
