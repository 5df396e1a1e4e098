//! `GitHub`'s habits, brought into the form that the protocol has: errors with status 200, and forms for answers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};

use crate::outgoing::{OutgoingClient, OutgoingError};

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Sends requests of the library, and answers as the library expects it.
pub struct Translated(pub OutgoingClient);

impl<'c> oauth2::AsyncHttpClient<'c> for Translated {
    type Error = OutgoingError;
    type Future =
        Pin<Box<dyn Future<Output = Result<oauth2::HttpResponse, OutgoingError>> + Send + 'c>>;

    fn call(&'c self, mut request: oauth2::HttpRequest) -> Self::Future {
        request.headers_mut().insert(ACCEPT, JSON);
        Box::pin(async move { Ok(translate(self.0.send(request).await?)) })
    }
}

fn translate(mut answer: oauth2::HttpResponse) -> oauth2::HttpResponse {
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        let fields: BTreeMap<String, String> =
            url::form_urlencoded::parse(answer.body()).into_owned().collect();
        *answer.body_mut() = serde_json::to_vec(&fields).expect("texts are JSON");
        answer.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    let body: Option<serde_json::Value> = serde_json::from_slice(answer.body()).ok();
    let is_error = body.is_some_and(|body| body.get("error").is_some());
    if is_error && answer.status() == StatusCode::OK {
        *answer.status_mut() = StatusCode::BAD_REQUEST;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: &str, body: &str) -> oauth2::HttpResponse {
        let mut answer = http::Response::new(body.as_bytes().to_vec());
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        translate(answer)
    }

    #[test]
    fn a_form_becomes_json() {
        let told =
            answer("application/x-www-form-urlencoded; charset=utf-8", "access_token=a%20b&scope=");
        assert_eq!(told.body().as_slice(), br#"{"access_token":"a b","scope":""}"#);
        assert_eq!(told.status(), StatusCode::OK);
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let told = answer("application/json", r#"{"error":"bad_verification_code"}"#);
        assert_eq!(told.status(), StatusCode::BAD_REQUEST);
        let told = answer("application/x-www-form-urlencoded", "error=bad_verification_code");
        assert_eq!(told.status(), StatusCode::BAD_REQUEST);
    }
}
