//! Every refusal of the routes of this folder and of `admin` goes on record, filed under the organization whose object was asked for.

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use keynest_commands::Origin;
use keynest_commands::access::Refusal;
use keynest_domain::refusals::{Scope, WOULD_REFUSE};

use crate::extract::{Principal, origin};
use crate::{App, Problem};

/// Where the routes are that this is about.
const PREFIXES: [&str; 2] = ["/api/core/", "/api/admin/"];
/// Longest id in a path that is kept, in bytes.
const OBJECT_BYTES_MAX: usize = 64;

/// Middleware: records answers 401, 403 and 404. A refusal that cannot be recorded stays a refusal.
pub async fn record(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_recorded = |route: &String| PREFIXES.iter().any(|prefix| route.starts_with(prefix));
    let Some(route) = route.filter(is_recorded) else {
        return next.run(request).await;
    };
    let (mut parts, body) = request.into_parts();
    // The handler's extractor finds the caller that was checked here.
    let caller =
        <Option<Principal> as FromRequestParts<App>>::from_request_parts(&mut parts, &app).await;
    let origin = match caller {
        Ok(Some(principal)) => Origin { command: None, ..principal.origin },
        Ok(None) | Err(_) => origin(&parts, &app),
    };
    let object = object(&route, parts.uri.path());
    let route = format!("{} {route}", parts.method);
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(problem) = response.extensions().get::<Problem>().filter(|it| is_refusal(it)) {
        let scope = problem.organization().map_or(Scope::Public, Scope::Organization);
        let refusal =
            Refusal { scope, route: route.clone(), object: object.clone(), code: problem.code() };
        file(&app, &origin, refusal).await;
    }
    for organization in origin.visit.take_dry_runs() {
        let scope = Scope::Organization(organization);
        let (route, object) = (route.clone(), object.clone());
        file(&app, &origin, Refusal { scope, route, object, code: WOULD_REFUSE }).await;
    }
    response
}

async fn file(app: &App, origin: &Origin, refusal: Refusal) {
    if let Err(error) = app.commands.record_refusal(origin, refusal).await {
        tracing::error!(%error, "a refusal could not be recorded");
    }
}

fn is_refusal(problem: &Problem) -> bool {
    let status = problem.status();
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND].contains(&status)
}

/// What stands in the path where the route has its first id.
fn object(route: &str, path: &str) -> Option<String> {
    let at = route.split('/').position(|part| part.starts_with('{'))?;
    let id = path.split('/').nth(at)?;
    (id.len() <= OBJECT_BYTES_MAX).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_the_first_id_of_the_path() {
        let route = "/api/core/organizations/{id}/invitations/{invitation_id}/";
        let path = "/api/core/organizations/7/invitations/x/";
        assert_eq!(object(route, path).as_deref(), Some("7"));
        assert_eq!(object("/api/core/projects/", "/api/core/projects/"), None);
    }
}
