//! What creating and changing a group asks for.

use keynest_store::EventStore;
use tonic::Status;

use super::config::{Config, FilterText, GroupKey, Settings, Start, created, updated};
use crate::filter::Filter;
use crate::names::{asked, checked, stored};
use crate::proto::event_store::client::StreamIdentifier;
use crate::proto::event_store::client::persistent_subscriptions::{
    CreateReq, UpdateReq, create_req, update_req,
};
use crate::status::unreadable;

/// New settings, and where to begin if the group has not read anything.
pub(super) struct Change {
    settings: Settings,
    begin: Option<(Start, u64)>,
}

impl Change {
    pub(super) fn apply(&self, config: Config) -> Config {
        let settings = self.settings.clone();
        match self.begin {
            Some((start, first)) => Config { settings, start, first, ..config },
            None => Config { settings, ..config },
        }
    }
}

pub(super) fn key(stream: Option<StreamIdentifier>, group: String) -> Result<GroupKey, Status> {
    if group.is_empty() {
        return Err(Status::invalid_argument("a subscription group has a name"));
    }
    let stream = stream.map(|it| asked(Some(it))).transpose()?;
    let key = GroupKey { stream: stream.filter(|it| it != "$all"), group };
    // The names of its own streams must fit, too.
    checked(key.checkpoints()).map_err(Status::invalid_argument)?;
    Ok(key)
}

#[expect(deprecated, reason = "old clients name the stream there")]
pub(super) async fn create(
    store: &EventStore,
    request: CreateReq,
) -> Result<(GroupKey, Config), Status> {
    use create_req::all_options::{AllOption, FilterOption};
    use create_req::options::StreamOption;
    use create_req::stream_options::RevisionOption;
    let missing = || Status::invalid_argument("a subscription group has settings");
    let options = request.options.ok_or_else(missing)?;
    let settings = created(options.settings.ok_or_else(missing)?)?;
    let (stream, start, filter) = match options.stream_option {
        Some(StreamOption::Stream(it)) => {
            let start = match it.revision_option {
                Some(RevisionOption::Revision(revision)) => Start::At(revision),
                Some(RevisionOption::End(())) => Start::End,
                Some(RevisionOption::Start(())) | None => Start::Beginning,
            };
            (it.stream_identifier, start, None)
        }
        Some(StreamOption::All(it)) => {
            let start = match it.all_option {
                Some(AllOption::Position(position)) => Start::At(position.commit_position),
                Some(AllOption::End(())) => Start::End,
                Some(AllOption::Start(())) | None => Start::Beginning,
            };
            let filter = match it.filter_option {
                Some(FilterOption::Filter(filter)) => Some(filter_text(filter)?),
                Some(FilterOption::NoFilter(())) | None => None,
            };
            (None, start, filter)
        }
        None => (options.stream_identifier, Start::Beginning, None),
    };
    let key = key(stream, options.group_name)?;
    let first = first(store, &key, start).await?;
    Ok((key, Config { settings, start, first, filter }))
}

#[expect(deprecated, reason = "old clients name the stream there")]
pub(super) async fn update(
    store: &EventStore,
    request: UpdateReq,
) -> Result<(GroupKey, Change), Status> {
    use update_req::all_options::AllOption;
    use update_req::options::StreamOption;
    use update_req::stream_options::RevisionOption;
    let missing = || Status::invalid_argument("a subscription group has settings");
    let options = request.options.ok_or_else(missing)?;
    let settings = updated(options.settings.ok_or_else(missing)?)?;
    let (stream, start) = match options.stream_option {
        Some(StreamOption::Stream(it)) => {
            let start = it.revision_option.map(|it| match it {
                RevisionOption::Revision(revision) => Start::At(revision),
                RevisionOption::End(()) => Start::End,
                RevisionOption::Start(()) => Start::Beginning,
            });
            (it.stream_identifier, start)
        }
        Some(StreamOption::All(it)) => {
            let start = it.all_option.map(|it| match it {
                AllOption::Position(position) => Start::At(position.commit_position),
                AllOption::End(()) => Start::End,
                AllOption::Start(()) => Start::Beginning,
            });
            (None, start)
        }
        None => (options.stream_identifier, None),
    };
    let key = key(stream, options.group_name)?;
    let begin = match start {
        Some(start) => Some((start, first(store, &key, start).await?)),
        None => None,
    };
    Ok((key, Change { settings, begin }))
}

/// The end is where it was when the group was made.
async fn first(store: &EventStore, key: &GroupKey, start: Start) -> Result<u64, Status> {
    match (start, &key.stream) {
        (Start::Beginning, _) => Ok(0),
        (Start::At(place), _) => Ok(place),
        (Start::End, Some(stream)) => {
            let events = store.stream_revision(&stored(stream)).await.map_err(unreadable)?;
            Ok(u64::from(events.get()))
        }
        (Start::End, None) => {
            Ok(store.head().await.map_err(unreadable)?.to_stored().saturating_add(1))
        }
    }
}

fn filter_text(options: create_req::all_options::FilterOptions) -> Result<FilterText, Status> {
    use create_req::all_options::filter_options::Filter as On;
    // Compiled here so that a broken pattern is refused when the group is made.
    parsed(options.clone())?;
    let (is_on_stream, expression) = match options.filter {
        Some(On::StreamIdentifier(expression)) => (true, expression),
        Some(On::EventType(expression)) => (false, expression),
        None => return Err(Status::invalid_argument("filter on nothing")),
    };
    let (regex, prefixes) = (expression.regex, expression.prefix);
    Ok(FilterText { is_on_stream, regex, prefixes })
}

fn parsed(options: create_req::all_options::FilterOptions) -> Result<Filter, Status> {
    crate::filter::filter_from!(
        options,
        crate::proto::event_store::client::persistent_subscriptions::create_req::all_options::filter_options
    )
}
