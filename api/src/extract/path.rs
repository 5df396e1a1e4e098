//! Ids in the path.

use axum::extract::FromRequestParts;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::PathRejection;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::Problem;

/// The variable parts of the path. One that cannot be an id is one that does not exist: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::<T>::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value)).map_err(|rejection| problem(&rejection))
    }
}

/// The route and its handler disagree, which no caller can help; everything else is about the caller's text.
fn problem(rejection: &PathRejection) -> Problem {
    let why: &(dyn std::error::Error + 'static) = match rejection {
        PathRejection::MissingPathParams(why) => why,
        PathRejection::FailedToDeserializePathParams(why) if is_ours(why.kind()) => why,
        PathRejection::FailedToDeserializePathParams(_) | _ => return Problem::new("not_found"),
    };
    Problem::internal(why)
}

fn is_ours(kind: &ErrorKind) -> bool {
    matches!(kind, ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. })
}
