//! Hearing of appends: a subscription as a hint, polling in any case. Events are read by who follows, from its own place.

use std::time::Duration;

use keynest_eventstore_protocol::event_store::client::streams::read_resp::Content;
use tokio::task::AbortHandle;
use tokio::time::sleep;
use tonic::Status;

use super::Kurrent;
use super::calls::Place;
use super::record::recorded;
use crate::port::ReadError;

/// The pause before subscribing again, and the most it grows to.
const RESUBSCRIBE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// Ends its tasks when it is dropped.
#[derive(Debug)]
pub(super) struct Follower(Vec<AbortHandle>);

impl Follower {
    pub(super) fn start(log: &Kurrent) -> Self {
        let tasks = [tokio::spawn(poll(log.clone())), tokio::spawn(follow(log.clone()))];
        Self(tasks.iter().map(tokio::task::JoinHandle::abort_handle).collect())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

async fn poll(log: Kurrent) {
    loop {
        sleep(log.options().poll_interval).await;
        // Nobody to tell: no load on the server. A failure is a caller's to see; the next turn comes anyway.
        if log.shared.head.receiver_count() > 0 {
            let _: Result<_, ReadError> = log.head().await;
        }
    }
}

async fn follow(log: Kurrent) {
    let mut pause = RESUBSCRIBE.0;
    loop {
        let Err(status) = follow_once(&log, &mut pause).await;
        tracing::warn!(%status, "the subscription of the event store was lost; polling goes on");
        sleep(pause).await;
        pause = (pause * 2).min(RESUBSCRIBE.1);
    }
}

/// Until the subscription is lost, from the last event that this process has heard of.
async fn follow_once(
    log: &Kurrent,
    pause: &mut Duration,
) -> Result<std::convert::Infallible, Status> {
    let heard = *log.shared.head.borrow();
    let mut answers = log.subscription(Place::behind(heard)).await?;
    loop {
        let answer = answers.message().await?;
        let answer = answer.ok_or_else(|| Status::unavailable("the server ended it"))?;
        match answer.content {
            Some(Content::Event(event)) => {
                let event = recorded(log.names(), event.event.unwrap_or_default());
                let event = event.map_err(|foreign| Status::data_loss(foreign.to_string()))?;
                log.raise_head(event.position);
            }
            Some(Content::CaughtUp(_)) => *pause = RESUBSCRIBE.0,
            Some(
                Content::Confirmation(_)
                | Content::Checkpoint(_)
                | Content::FellBehind(_)
                | Content::StreamNotFound(_)
                | Content::FirstStreamPosition(_)
                | Content::LastStreamPosition(_)
                | Content::LastAllStreamPosition(_),
            )
            | None => {}
        }
    }
}
