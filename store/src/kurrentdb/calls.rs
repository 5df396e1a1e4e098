//! The protocol's reads: what is asked for, and how much is taken of what comes.

use keynest_eventstore_protocol::event_store::client::StreamIdentifier;
use keynest_eventstore_protocol::event_store::client::streams::ReadReq;
use keynest_eventstore_protocol::event_store::client::streams::ReadResp;
use keynest_eventstore_protocol::event_store::client::streams::read_req::Options;
use keynest_eventstore_protocol::event_store::client::streams::read_req::options::filter_options::{
    Expression, Filter, Window,
};
use keynest_eventstore_protocol::event_store::client::streams::read_req::options::{
    AllOptions, ControlOption, CountOption, FilterOption, FilterOptions, Position as WirePosition,
    ReadDirection, StreamOption, StreamOptions, SubscriptionOptions, UuidOption, all_options,
    stream_options, uuid_option,
};
use keynest_eventstore_protocol::event_store::client::streams::read_resp::Content;
use keynest_eventstore_protocol::event_store::client::streams::read_resp::read_event::RecordedEvent;
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::Kurrent;
use super::connection::cause;
use super::record::commit_of;
use crate::port::*;

/// The subscriber knows of the protocol's newer answers.
const COMPATIBILITY: u32 = 1;
/// Events that the server looks at between two words of how far it has come.
const CHECKPOINT_WINDOW: u32 = 512;

/// Where reading all begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Start,
    /// The place in the file, itself included when going forwards.
    At(u64),
    End,
}

/// How much of what a server tells is taken.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    /// What the server was asked for.
    count: u64,
    /// So many, beside those at one place.
    limit: usize,
    beside: Option<u64>,
    /// None further once there are so many bytes.
    bytes: usize,
}

/// What a read is told of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Revisions {
    From(u64),
    Last,
}

impl Place {
    pub(super) fn behind(position: Position) -> Self {
        match position {
            Position::START => Self::Start,
            position => Self::At(commit_of(position)),
        }
    }
}

impl Kurrent {
    /// All streams of this log, from a place on: so many, beside `more` that stand at the place itself.
    pub(super) async fn read_all_raw(
        &self,
        place: Place,
        is_backwards: bool,
        limit: usize,
        more: u64,
    ) -> Result<Vec<RecordedEvent>, Status> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let count = limit as u64 + more;
        let options = Options {
            stream_option: Some(StreamOption::All(all(place, is_backwards))),
            filter_option: Some(FilterOption::Filter(self.filter(Window::Count(())))),
            ..options(is_backwards, CountOption::Count(count))
        };
        let beside = if let (Place::At(commit), false) = (place, is_backwards) {
            Some(commit)
        } else {
            None
        };
        let wanted = Wanted { count, limit, beside, bytes: READ_BYTES_MAX };
        self.collect(options, wanted).await
    }

    pub(super) async fn read_named(
        &self,
        name: &str,
        revisions: Revisions,
        limit: usize,
        bytes_max: usize,
    ) -> Result<Vec<RecordedEvent>, Status> {
        let (revision_option, is_backwards) = match revisions {
            Revisions::From(revision) => {
                (stream_options::RevisionOption::Revision(revision), false)
            }
            Revisions::Last => (stream_options::RevisionOption::End(()), true),
        };
        let stream = StreamOptions {
            stream_identifier: Some(StreamIdentifier { stream_name: name.to_owned().into() }),
            revision_option: Some(revision_option),
        };
        let options = Options {
            stream_option: Some(StreamOption::Stream(stream)),
            filter_option: Some(FilterOption::NoFilter(())),
            ..options(is_backwards, CountOption::Count(limit as u64))
        };
        let count = limit as u64;
        self.collect(options, Wanted { count, limit, beside: None, bytes: bytes_max }).await
    }

    /// What comes. A server that was asked for no more is read to its end, so that no call is hung up while it is being answered:
    /// the h2 library counts answers to calls that it has forgotten, and ends the connection after 1,024.
    async fn collect(
        &self,
        options: Options,
        wanted: Wanted,
    ) -> Result<Vec<RecordedEvent>, Status> {
        let reading = async {
            let mut answers = self.ask(options).await?;
            let (mut events, mut bytes, mut found) = (Vec::new(), 0, 0);
            while (events.len() as u64 == wanted.count
                || bytes < wanted.bytes && found < wanted.limit)
                && let Some(answer) = answers.message().await?
            {
                match answer.content {
                    Some(Content::Event(event)) => {
                        let event = event.event.unwrap_or_default();
                        bytes += event.data.len();
                        found += usize::from(wanted.beside != Some(event.commit_position));
                        events.push(event);
                    }
                    Some(
                        Content::StreamNotFound(_)
                        | Content::Confirmation(_)
                        | Content::Checkpoint(_)
                        | Content::FirstStreamPosition(_)
                        | Content::LastStreamPosition(_)
                        | Content::LastAllStreamPosition(_)
                        | Content::CaughtUp(_)
                        | Content::FellBehind(_),
                    )
                    | None => {}
                }
            }
            Ok(events)
        };
        self.within(reading).await
    }

    /// Follows this log from a place on, that place included.
    pub(super) async fn subscription(&self, place: Place) -> Result<Streaming<ReadResp>, Status> {
        let filter = self.filter(Window::Max(CHECKPOINT_WINDOW));
        let options = Options {
            stream_option: Some(StreamOption::All(all(place, false))),
            filter_option: Some(FilterOption::Filter(filter)),
            ..options(false, CountOption::Subscription(SubscriptionOptions {}))
        };
        self.within(self.ask(options)).await
    }

    async fn ask(&self, options: Options) -> Result<Streaming<ReadResp>, Status> {
        let connection = self.connection();
        let request = connection.request(ReadReq { options: Some(options) });
        Ok(connection.streams().await?.read(request).await?.into_inner())
    }

    /// A call that a server cannot leave open for ever.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, Status>>,
    ) -> Result<T, Status> {
        let deadline = self.connection().deadline();
        let answered = timeout(deadline, call).await.unwrap_or_else(|_| {
            Err(Status::deadline_exceeded("the server did not answer in time"))
        });
        answered.inspect_err(|status| self.connection().failed(status))
    }

    fn filter(&self, window: Window) -> FilterOptions {
        let expression = Expression { regex: String::new(), prefix: vec![self.names().events()] };
        FilterOptions {
            filter: Some(Filter::StreamIdentifier(expression)),
            window: Some(window),
            checkpoint_interval_multiplier: 1,
        }
    }
}

fn options(is_backwards: bool, count: CountOption) -> Options {
    let direction = if is_backwards { ReadDirection::Backwards } else { ReadDirection::Forwards };
    Options {
        read_direction: direction.into(),
        resolve_links: false,
        uuid_option: Some(UuidOption { content: Some(uuid_option::Content::String(())) }),
        control_option: Some(ControlOption { compatibility: COMPATIBILITY }),
        count_option: Some(count),
        stream_option: None,
        filter_option: None,
    }
}

/// Forwards everything that was committed there, backwards everything that was before.
fn all(place: Place, is_backwards: bool) -> AllOptions {
    let from = match place {
        Place::Start => all_options::AllOption::Start(()),
        Place::End => all_options::AllOption::End(()),
        Place::At(commit) => all_options::AllOption::Position(WirePosition {
            commit_position: commit,
            prepare_position: if is_backwards { commit } else { 0 },
        }),
    };
    AllOptions { all_option: Some(from) }
}

pub(super) fn unread(status: Status) -> ReadError {
    ReadError::Unavailable(cause(status))
}
