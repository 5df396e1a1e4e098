//! The API's description, made from the code, and a page to browse it that needs no network.

use axum::{Json, Router, routing::get};
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi as _};
use utoipa_swagger_ui::SwaggerUi;

use crate::App;

/// Where the document is served.
pub const DOCUMENT_PATH: &str = "/api/openapi.json";
/// Where the page is served.
pub const PAGE_PATH: &str = "/api/docs";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(title = "KeyNest", description = "Environment variables and secrets of teams, and everything that ever happened to them."),
    modifiers(&Bearer),
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// The document before the routes are added.
pub fn base() -> OpenApi {
    Document::openapi()
}

/// The document and the page.
pub fn router(document: OpenApi) -> Router<App> {
    let page: Router<App> =
        SwaggerUi::new(PAGE_PATH).config(utoipa_swagger_ui::Config::from(DOCUMENT_PATH)).into();
    Router::new().route(DOCUMENT_PATH, get(|| async move { Json(document) })).merge(page)
}
