//! The development mailbox: mails that were not sent because no SMTP server is configured.

use axum::extract::State;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use keynest_domain::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::extract::{Path, Query};
use crate::pages::layout;
use crate::{App, Problem};

/// Mails on the page.
const LISTED_MAX: i64 = 200;
/// A mail's own style attributes are fine; everything else stays out, and links open the site.
const MAIL_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// A mail as it would have been sent.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DevMail {
    pub id: i64,
    pub sent_at: Timestamp,
    pub recipient: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The mailbox cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("read the development mailbox")]
pub struct MailboxError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where the mails are; the composition root knows.
#[async_trait::async_trait]
pub trait DevMailbox: Send + Sync {
    /// The newest first, to one address or to all.
    async fn list(&self, recipient: Option<&str>, limit: i64)
    -> Result<Vec<DevMail>, MailboxError>;
    /// One mail.
    async fn get(&self, id: i64) -> Result<Option<DevMail>, MailboxError>;
}

/// Whose mails.
#[derive(Debug, Deserialize)]
pub struct Filter {
    to: Option<String>,
}

/// The list in a browser.
pub async fn list(
    State(app): State<App>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let mails = mailbox(&app, &headers)?.list(filter.to.as_deref(), LISTED_MAX).await;
    let mails = mails.map_err(|error| Problem::unavailable(&error))?;
    let content = html! {
        p { "No SMTP server is configured, so mails stay here." }
        table {
            tr { th { "Sent" } th { "To" } th { "Subject" } }
            @for mail in &mails {
                tr { td { (mail.sent_at.iso()) } td { (mail.recipient) }
                     td { a href=(format!("/dev/mailbox/{}/", mail.id)) { (mail.subject) } } }
            }
        }
    };
    Ok(layout::page(StatusCode::OK, "Development mailbox", &content))
}

/// The newest mail as text, for the command line.
pub async fn latest(
    State(app): State<App>,
    headers: HeaderMap,
    Query(filter): Query<Filter>,
) -> Result<Response, Problem> {
    let mails = mailbox(&app, &headers)?.list(filter.to.as_deref(), 1).await;
    let mail = mails.map_err(|error| Problem::unavailable(&error))?.pop().ok_or_else(absent)?;
    let text = format!("To: {}\nSubject: {}\n\n{}", mail.recipient, mail.subject, mail.text);
    Ok(([(CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

/// One mail in a browser.
pub async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let mail = mail(&app, &headers, id).await?;
    let content = html! {
        p { "To " (mail.recipient) ", " (mail.sent_at.iso()) ". "
            a href=(format!("/dev/mailbox/{id}/html/")) { "As HTML" } " · " a href="/dev/mailbox/" { "All mails" } }
        pre { (linked(&mail.text)) }
    };
    Ok(layout::page(StatusCode::OK, &mail.subject, &content))
}

/// The HTML part of one mail.
pub async fn html(
    State(app): State<App>,
    headers: HeaderMap,
    Path(id): Path<i64>,
) -> Result<Response, Problem> {
    let mail = mail(&app, &headers, id).await?;
    let fields =
        [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, MAIL_POLICY)];
    Ok((fields, mail.html).into_response())
}

async fn mail(app: &App, headers: &HeaderMap, id: i64) -> Result<DevMail, Problem> {
    let mail =
        mailbox(app, headers)?.get(id).await.map_err(|error| Problem::unavailable(&error))?;
    mail.ok_or_else(absent)
}

/// Only where there is one, and only under a name of this machine: a foreign name that resolves here reads nothing.
fn mailbox<'a>(app: &'a App, headers: &HeaderMap) -> Result<&'a dyn DevMailbox, Problem> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let host =
        host.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let own =
        app.settings.public_url.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
    let is_own = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") || Some(host) == own;
    app.mailbox.as_deref().filter(|_| is_own).ok_or_else(absent)
}

fn absent() -> Problem {
    Problem::new("not_found")
}

/// Lines that are a link become one.
fn linked(text: &str) -> Markup {
    html! {
        @for line in text.lines() {
            @if line.starts_with("http://") || line.starts_with("https://") { a href=(line) { (line) } } @else { (line) }
            "\n"
        }
    }
}
