//! The feed as server-sent events. Nothing is read ahead: the next part is looked for when the reader has taken the last one.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use futures::stream;

use super::look::Batch;
use super::reading::Reading;
use crate::Problem;

/// The media type.
pub const EVENT_STREAM: &str = "text/event-stream";
/// Tells proxies to pass on what comes as it comes.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// Begins with what there is already, so that whatever is wrong at once is answered with a status.
pub async fn open(mut reading: Reading) -> Result<Response, Problem> {
    let first = reading.next(std::time::Duration::ZERO).await?;
    let retry = reading.app.settings.feed.retry.as_millis();
    let first = format!("retry: {retry}\n\n{}", part(&first, &reading));
    let state = (Some(first), Some(reading));
    let parts = stream::unfold(state, async |(first, reading)| {
        if let Some(first) = first {
            return Some((Ok::<_, std::convert::Infallible>(Bytes::from(first)), (None, reading)));
        }
        let (text, reading) = next(reading?).await;
        Some((Ok(Bytes::from(text)), (None, reading)))
    });
    let kind = (CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    Ok(([kind, UNBUFFERED], Body::from_stream(parts)).into_response())
}

/// What comes next, and the reading unless that was the last of it.
async fn next(mut reading: Reading) -> (String, Option<Reading>) {
    let allowed = reading.standing.check(&reading.app).await;
    let next = match allowed {
        Ok(()) => reading.next(reading.app.settings.feed.heartbeat).await,
        Err(problem) => Err(problem),
    };
    match next {
        Ok(batch) if reading.standing.draining.0.is_cancelled() => {
            let text = format!("{}: this process stops, come back\n\n", part(&batch, &reading));
            (text, None)
        }
        Ok(batch) => (part(&batch, &reading), Some(reading)),
        Err(problem) => (format!("event: end\ndata: {}\n\n", problem.body(None, None)), None),
    }
}

/// Events, or a sign of life that moves the reader's place on: an id without data is no event.
fn part(batch: &Batch, reading: &Reading) -> String {
    if batch.events.is_empty() {
        return format!(": still here\nid: {}\n\n", reading.position());
    }
    let events = batch.events.iter();
    events.map(|told| format!("id: {}\ndata: {}\n\n", told.position, told.json)).collect()
}
