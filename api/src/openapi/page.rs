//! The page: Swagger UI, compiled in. It loads nothing from elsewhere, and its policy would not let it.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::middleware::map_response;
use axum::response::Response;
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{DOCUMENT_PATH, PAGE_PATH};
use crate::App;

/// Scripts, styles and calls of this origin only. Icons are `data:` in its style sheet; the hash is of the colours in
/// its logo, which a browser names in its console when another version has others.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='; \
     img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
);

/// The page and its files.
pub fn router() -> Router<App> {
    // Without this, the page would show the document to a validator on the internet.
    let config = Config::from(DOCUMENT_PATH).validator_url("none").display_operation_id(true);
    let page: Router<App> = SwaggerUi::new(PAGE_PATH).config(config).into();
    page.layer(map_response(with_policy))
}

async fn with_policy(mut response: Response) -> Response {
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, POLICY);
    response
}
