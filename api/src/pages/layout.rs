//! What all pages share: frame, style sheet, a policy that lets nothing else in.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, html};

use crate::Problem;

const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

const STYLES: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 42rem; padding: 2rem 1rem; }
header { font-weight: 700; font-size: 1.2rem; margin-bottom: 1.5rem; }
button { font: inherit; padding: .6rem 1.2rem; border: 0; border-radius: 6px; background: #2452d6; color: #fff; }
label { display: block; margin: .8rem 0; }
input { display: block; width: 100%; font: inherit; padding: .5rem; box-sizing: border-box; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: .4rem .6rem .4rem 0; border-bottom: 1px solid #8884; vertical-align: top; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.error { color: #c22; }
";

/// A page.
pub fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " · KeyNest" }
                link rel="stylesheet" href="/assets/page.css";
            }
            body { header { "KeyNest" } h1 { (title) } (content) }
        }
    };
    let mut response = (status, markup.into_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// A page with one button.
pub fn button(title: &str, text: &str, label: &str) -> Response {
    let content = html! { p { (text) } form method="post" { button { (label) } } };
    page(StatusCode::OK, title, &content)
}

/// A page that only says something.
pub fn message(title: &str, text: &str) -> Response {
    page(StatusCode::OK, title, &html! { p { (text) } })
}

/// A page that says why not.
pub fn refusal(title: &str, problem: &Problem) -> Response {
    let content = html! {
        p.error { (problem.text()) }
        @for text in problem.field_messages() { p.error { (text) } }
    };
    page(problem.status(), title, &content)
}

/// The style sheet.
pub async fn stylesheet() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], STYLES)
        .into_response()
}
