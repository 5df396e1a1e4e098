//! Where a browser arrives from an identity provider while no frontend is configured.

use axum::http::StatusCode;
use axum::response::Response;
use maud::html;

use crate::Problem;
use crate::pages::layout;

const TITLE: &str = "Sign in";

/// Shows the code that finishes it; who has no frontend has a terminal.
pub fn show(code: &str) -> Response {
    let content = html! {
        p { "The provider has confirmed who you are." }
        p { "No frontend is configured here. This code finishes the sign-in once, within two minutes: post it as "
            code { "code" } " to " code { "/api/auth/oauth/exchange/" }
            ", or to " code { "/api/auth/identities/" } " to link the provider." }
        pre { (code) }
    };
    layout::page(StatusCode::OK, TITLE, &content)
}

/// Says why not.
pub fn refuse(problem: &Problem) -> Response {
    layout::refusal(TITLE, problem)
}
