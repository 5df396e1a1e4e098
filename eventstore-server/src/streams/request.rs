//! What a read asks for.

use keynest_store::Position;
use tonic::Status;

use crate::filter::{Filter, filter_from};
use crate::message::IdForm;
use crate::names::asked;
use crate::proto::event_store::client::streams::ReadReq;
use crate::proto::event_store::client::streams::read_req::Options;
use crate::proto::event_store::client::streams::read_req::options::{
    CountOption, FilterOption, ReadDirection, StreamOption, all_options, stream_options,
    uuid_option,
};

#[derive(Debug)]
pub(crate) struct Asked {
    pub from: From,
    pub is_backwards: bool,
    /// None for a subscription.
    pub count: Option<u64>,
    pub reading: Reading,
}

#[derive(Debug)]
pub(crate) enum From {
    Stream { name: String, from: Place<u64> },
    All { from: Place<Position>, filter: Option<Filter> },
}

/// Where reading begins.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<T> {
    Start,
    At(T),
    End,
}

/// How events are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub ids: IdForm,
    pub resolves_links: bool,
    /// Whether the client knows of the places of a stream's ends.
    pub tells_ends: bool,
}

pub(crate) fn parse(request: ReadReq) -> Result<Asked, Status> {
    let missing = |what: &'static str| move || Status::invalid_argument(what);
    let options = request.options.ok_or_else(missing("a read has options"))?;
    let reading = Reading {
        ids: match options.uuid_option.and_then(|it| it.content) {
            Some(uuid_option::Content::Structured(())) => IdForm::Structured,
            Some(uuid_option::Content::String(())) | None => IdForm::Text,
        },
        resolves_links: options.resolve_links,
        tells_ends: options.control_option.is_some_and(|it| it.compatibility >= 1),
    };
    let is_backwards = options.read_direction == i32::from(ReadDirection::Backwards);
    let count = match options.count_option {
        Some(CountOption::Count(count)) => Some(count),
        Some(CountOption::Subscription(_)) => None,
        None => return Err(Status::invalid_argument("a read has a count or is a subscription")),
    };
    if count.is_none() && is_backwards {
        return Err(Status::invalid_argument("a subscription goes forwards"));
    }
    Ok(Asked { from: place(options)?, is_backwards, count, reading })
}

fn place(options: Options) -> Result<From, Status> {
    let filter = match options.filter_option {
        Some(FilterOption::Filter(filter)) => Some(filter_from!(
            filter,
            crate::proto::event_store::client::streams::read_req::options::filter_options
        )?),
        Some(FilterOption::NoFilter(())) | None => None,
    };
    match options.stream_option {
        Some(StreamOption::Stream(stream)) => {
            if filter.is_some() {
                return Err(Status::invalid_argument("a filter is for reading all streams"));
            }
            let from = match stream.revision_option {
                Some(stream_options::RevisionOption::Revision(revision)) => Place::At(revision),
                Some(stream_options::RevisionOption::End(())) => Place::End,
                Some(stream_options::RevisionOption::Start(())) | None => Place::Start,
            };
            Ok(From::Stream { name: asked(stream.stream_identifier)?, from })
        }
        Some(StreamOption::All(all)) => {
            let from = match all.all_option {
                Some(all_options::AllOption::Position(position)) => {
                    Place::At(Position::from_stored(position.commit_position))
                }
                Some(all_options::AllOption::End(())) => Place::End,
                Some(all_options::AllOption::Start(())) | None => Place::Start,
            };
            Ok(From::All { from, filter })
        }
        None => Err(Status::invalid_argument("a read is of a stream or of all")),
    }
}
