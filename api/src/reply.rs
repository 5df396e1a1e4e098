//! Answers to commands: status, position token, and the body as the read models now show it (DESIGN 6).

use std::future::Future;

use axum::Json;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use keynest_projections::QueryError;
use keynest_store::Position;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{App, Problem};

/// The position of a command's last event, as an encrypted token.
pub const POSITION_HEADER: HeaderName = HeaderName::from_static("keynest-position");
/// `false` when the read models had not caught up in time.
pub const VISIBLE_HEADER: HeaderName = HeaderName::from_static("keynest-visible");
/// What the encrypted token is for; another kind of token is never taken for it.
pub const POSITION_KIND: &str = "position";

/// An answer to a command.
pub struct Done<T> {
    status: StatusCode,
    position: Option<String>,
    is_visible: bool,
    body: Body<T>,
}

enum Body<T> {
    Empty,
    Known(T),
    /// Done, but the read models cannot show it yet.
    Unseen {
        id: i64,
    },
}

/// The body of an answer that the read models cannot show yet: what was changed exists, and is shown soon.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unseen {
    id: i64,
}

/// How the body of [`App::answer`] is described: the row, or its id with `KeyNest-Visible: false`.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the description is used")]
pub enum Shown<T: ToSchema> {
    Row(T),
    Unseen(Unseen),
}

impl App {
    /// Waits for the models, then answers with the row; with the bare id if it does not show in time.
    pub async fn answer<T, F>(
        &self,
        status: StatusCode,
        position: Option<Position>,
        models: &[&str],
        id: i64,
        load: impl FnOnce() -> F,
    ) -> Result<Done<T>, Problem>
    where
        F: Future<Output = Result<Option<T>, QueryError>>,
    {
        let is_visible = self.wait_for(position, models).await;
        let row = if is_visible { load().await? } else { None };
        let body = row.map_or(Body::Unseen { id }, Body::Known);
        Ok(Done { status, position: self.token(position), is_visible, body })
    }

    /// Waits for the models, then answers with a body that is known already.
    pub async fn done<T>(
        &self,
        status: StatusCode,
        position: Option<Position>,
        models: &[&str],
        body: T,
    ) -> Done<T> {
        let is_visible = self.wait_for(position, models).await;
        Done { status, position: self.token(position), is_visible, body: Body::Known(body) }
    }

    /// Waits for the models, then answers 204.
    pub async fn no_content(&self, position: Option<Position>, models: &[&str]) -> Done<()> {
        let is_visible = self.wait_for(position, models).await;
        let status = StatusCode::NO_CONTENT;
        Done { status, position: self.token(position), is_visible, body: Body::Empty }
    }

    /// Whether the models show everything up to a position, within the configured wait.
    pub async fn wait_for(&self, position: Option<Position>, models: &[&str]) -> bool {
        match position {
            None => true,
            Some(position) => {
                self.visibility.wait_for(position, models, self.settings.visible_wait).await
            }
        }
    }

    fn token(&self, position: Option<Position>) -> Option<String> {
        position.map(|position| self.position_token(position))
    }

    /// A position as callers know it.
    pub fn position_token(&self, position: Position) -> String {
        let incarnation = self.commands.store().incarnation().get();
        let bytes =
            [incarnation.as_bytes().as_slice(), &position.to_stored().to_be_bytes()].concat();
        self.cursors.seal(POSITION_KIND, &bytes)
    }
}

impl<T> Done<T> {
    /// Public endpoints say nothing of the log.
    #[must_use]
    pub fn without_position(mut self) -> Self {
        self.position = None;
        self
    }
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Empty => self.status.into_response(),
            Body::Known(body) => (self.status, Json(body)).into_response(),
            Body::Unseen { id } => (self.status, Json(Unseen { id })).into_response(),
        };
        let headers = response.headers_mut();
        if let Some(token) = self.position.and_then(|token| HeaderValue::from_str(&token).ok()) {
            headers.insert(POSITION_HEADER, token);
        }
        if !self.is_visible {
            headers.insert(VISIBLE_HEADER, HeaderValue::from_static("false"));
        }
        response
    }
}
