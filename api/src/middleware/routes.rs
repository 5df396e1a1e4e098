//! Around the routes: both slash forms, refusals for unknown paths and methods, `OPTIONS`.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::MatchedPath;
use axum::http::header::ALLOW;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::future::RouteFuture;
use tower::Service;
use tower::util::MapRequestLayer;

use axum::body::Body;

use super::notes::RequestNotes;
use crate::Problem;

/// Makes one router of the application's: notes the route, serves both slash forms, answers 404 as a problem.
/// A path is looked up as it is first, so each route may be registered in either form.
pub fn both_slashes(routes: Router) -> Router {
    let routes = routes.layer(MapRequestLayer::new(note_route));
    let other = OtherSlash(routes.clone().fallback(async || Problem::new("not_found")));
    routes.fallback_service(other)
}

fn note_route(request: Request<Body>) -> Request<Body> {
    let extensions = request.extensions();
    if let (Some(notes), Some(route)) =
        (extensions.get::<RequestNotes>(), extensions.get::<MatchedPath>())
    {
        notes.set_route(route.clone());
    }
    request
}

/// Tries the path again with the slash at its end added or removed. `OriginalUri` stays what the caller sent.
#[derive(Clone)]
struct OtherSlash(Router);

impl Service<Request<Body>> for OtherSlash {
    type Response = Response;
    type Error = Infallible;
    type Future = RouteFuture<Infallible>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.0, cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if let Some(uri) = toggled(request.uri()) {
            *request.uri_mut() = uri;
        }
        self.0.call(request)
    }
}

fn toggled(uri: &Uri) -> Option<Uri> {
    let path = match uri.path().strip_suffix('/') {
        Some(path) if path.is_empty() || path.ends_with('/') => return None,
        Some(path) => path.to_owned(),
        None => format!("{}/", uri.path()),
    };
    let text = uri.query().map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

/// Gives bare 405 answers of the router a body, and answers `OPTIONS` where the path exists.
pub fn method_not_allowed(method: &Method, response: Response) -> Response {
    if response.status() != StatusCode::METHOD_NOT_ALLOWED
        || response.extensions().get::<Problem>().is_some()
    {
        return response;
    }
    let there =
        response.headers().get(ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
    let separator = if there.is_empty() { "" } else { "," };
    let allow = HeaderValue::from_str(&format!("{there}{separator}OPTIONS"));
    let allow = allow.unwrap_or(HeaderValue::from_static("OPTIONS"));
    if method == Method::OPTIONS {
        (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
    } else {
        Problem::new("method_not_allowed").allow(allow).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_is_toggled_and_the_query_kept() {
        for (from, to) in [
            ("/a", Some("/a/")),
            ("/a/?x=/", Some("/a?x=/")),
            ("/a%2F", Some("/a%2F/")),
            ("http://h/a", Some("http://h/a/")),
            ("/", None),
            ("//", None),
            ("/a//", None),
        ] {
            let toggled = toggled(&from.parse().unwrap()).map(|uri| uri.to_string());
            assert_eq!(toggled.as_deref(), to, "{from}");
        }
    }
}
