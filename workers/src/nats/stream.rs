//! The stream: made and kept as configured, and where it ends.

use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, RawMessageErrorKind, Stream};
use keynest_domain::EventId;

use super::connect::JetStream;
use super::error::NatsError;
use super::message::{Mark, SUBJECTS, event_id};

/// Messages in a row that somebody deleted, at most, or the stream counts as empty from there.
const DELETED_MAX: usize = 256;

/// The end of the stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamEnd {
    /// Of the last message that ever was there; zero: none ever was.
    pub sequence: u64,
    /// The last message that is there.
    pub last: Option<Said>,
}

/// What a message says of itself; whoever may write into the stream may say anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub sequence: u64,
    pub mark: Option<(Mark, EventId)>,
}

fn said(message: &StreamMessage) -> Said {
    let headers = &message.headers;
    Said { sequence: message.sequence, mark: Mark::read(headers).zip(event_id(headers)) }
}

impl JetStream {
    /// The stream, made or brought to the configuration.
    pub(super) async fn stream(&self) -> Result<Stream<()>, NatsError> {
        self.usable()?;
        let made = self.context.create_or_update_stream(self.settings.stream_config()).await;
        made.map_err(|error| NatsError::refused("make the stream")(Box::new(error)))?;
        self.known_stream().await
    }

    async fn known_stream(&self) -> Result<Stream<()>, NatsError> {
        let found = self.context.get_stream_no_info(&self.settings.stream).await;
        found.map_err(|error| NatsError::refused("find the stream")(Box::new(error)))
    }

    /// Where the stream ends. Asked in this order: what somebody writes in between makes the sequence too low, and the next
    /// message is refused.
    pub(super) async fn end(&self) -> Result<StreamEnd, NatsError> {
        let stream = self.stream().await?;
        let sequence = self.last_sequence().await?;
        let last = match stream.get_last_raw_message_by_subject(SUBJECTS).await {
            Ok(message) => Some(said(&message)),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => None,
            Err(error) => {
                return Err(NatsError::refused("read the last message")(Box::new(error)));
            }
        };
        Ok(StreamEnd { sequence, last })
    }

    /// What the message before this one says; `None` at the beginning of the stream.
    pub(super) async fn before(&self, message: &Said) -> Result<Option<Said>, NatsError> {
        let stream = self.known_stream().await?;
        for sequence in (1..message.sequence).rev().take(DELETED_MAX) {
            match stream.get_raw_message(sequence).await {
                Ok(message) => return Ok(Some(said(&message))),
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {}
                Err(error) => {
                    return Err(NatsError::refused("read a message")(Box::new(error)));
                }
            }
        }
        Ok(None)
    }

    pub(super) async fn last_sequence(&self) -> Result<u64, NatsError> {
        self.usable()?;
        let info = self.known_stream().await?.get_info().await;
        let info =
            info.map_err(|error| NatsError::refused("describe the stream")(Box::new(error)))?;
        Ok(info.state.last_sequence)
    }
}
