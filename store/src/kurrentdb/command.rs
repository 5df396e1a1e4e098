//! Whether a command was done: a stream of its own, which every append of it expects to be as it was.

use keynest_domain::CommandId;
use keynest_eventstore_protocol::v2::AppendRecord;
use serde::{Deserialize, Serialize};
use tonic::Status;
use uuid::Uuid;

use super::Kurrent;
use super::record::{id_of, note, revision_of, type_of};
use crate::port::*;

const DONE: &str = "keynest.command_done";
const ABANDONED: &str = "keynest.command_abandoned";

/// What is noted of a command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noted {
    /// It may be done, with its stream at this revision.
    Not(Revision),
    Done(Done),
}

/// A command that was done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    /// The place of the note, in front of the command's events.
    pub commit: u64,
    pub events: usize,
    /// The sending that did it.
    pub sending: Uuid,
}

#[derive(Serialize, Deserialize)]
struct Events {
    events: usize,
}

impl Kurrent {
    pub(super) async fn noted(&self, command: CommandId) -> Result<Noted, Status> {
        let Some(last) = self.last(&self.names().command(command)).await? else {
            return Ok(Noted::Not(Revision::NONE));
        };
        if type_of(&last) != DONE {
            return Ok(Noted::Not(revision_of(&last)));
        }
        let damaged = || Status::data_loss("the note of a command that was done is damaged");
        let Events { events } = serde_json::from_slice(&last.data).map_err(|_| damaged())?;
        let sending = id_of(&last).ok_or_else(damaged)?;
        Ok(Noted::Done(Done { commit: last.commit_position, events, sending }))
    }

    pub(super) async fn done(&self, command: CommandId) -> Result<Option<Done>, Status> {
        match self.noted(command).await? {
            Noted::Done(done) => Ok(Some(done)),
            Noted::Not(_) => Ok(None),
        }
    }
}

/// In front of a command's events. A sending has an id of its own, so that the server takes no second one for the first.
pub(super) fn done(stream: String, sending: Uuid, events: usize) -> AppendRecord {
    note(stream, sending, DONE, &Events { events })
}

/// After which no earlier sending of the command can come true.
pub(super) fn abandoned(stream: String, sending: Uuid) -> AppendRecord {
    note(stream, sending, ABANDONED, &Events { events: 0 })
}
