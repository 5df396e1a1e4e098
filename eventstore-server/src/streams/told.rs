//! What a subscription tells beside events.

use prost_types::Timestamp;

use super::read::content;
use crate::ids::new_id;
use crate::proto::event_store::client::streams::ReadResp;
use crate::proto::event_store::client::streams::read_resp::{
    CaughtUp, Checkpoint, Content, Position, SubscriptionConfirmation,
};

/// It has begun.
pub(crate) fn confirmation() -> ReadResp {
    let subscription_id = new_id().to_string();
    content(Content::Confirmation(SubscriptionConfirmation { subscription_id }))
}

/// Up to here nothing else matched, so that nobody reads it again.
pub(crate) fn checkpoint(place: u64, timestamp: Option<Timestamp>) -> ReadResp {
    let (commit_position, prepare_position) = (place, place);
    content(Content::Checkpoint(Checkpoint { commit_position, prepare_position, timestamp }))
}

/// Everything that a stream of so many events has was told.
pub(crate) fn caught_up_with_stream(events: u32, timestamp: Option<Timestamp>) -> ReadResp {
    let stream_revision = events.checked_sub(1).map(i64::from);
    content(Content::CaughtUp(CaughtUp { timestamp, stream_revision, position: None }))
}

/// Everything up to this place was told; zero is no place.
pub(crate) fn caught_up_with_all(place: u64, timestamp: Option<Timestamp>) -> ReadResp {
    let position = Position { commit_position: place, prepare_position: place };
    let position = (place > 0).then_some(position);
    content(Content::CaughtUp(CaughtUp { timestamp, stream_revision: None, position }))
}
