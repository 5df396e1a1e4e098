//! Claims as reservation streams: one for each name, whose last event says who holds it; and two lists of names, which are
//! written in the same append.

use std::collections::{BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt};
use keynest_domain::StreamName;
use keynest_eventstore_protocol::event_store::client::streams::read_resp::read_event::RecordedEvent;
use keynest_eventstore_protocol::v2::AppendRecord;
use serde::{Deserialize, Serialize};
use tonic::Status;
use uuid::Uuid;

use super::Kurrent;
use super::calls::unread;
use super::names::Names;
use super::record::{note, revision_of, type_of};
use crate::port::*;

const TAKEN: &str = "keynest.name_taken";
const RELEASED: &str = "keynest.name_released";
const LISTED: &str = "keynest.names_listed";
/// Names that are looked up at a time.
const AT_ONCE: usize = 32;
/// How often a name may change hands while it is resolved.
const RESOLVED_TRIES_MAX: usize = 16;

/// Where a name's stream stands, and who holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub at: Revision,
    pub holder: Option<StreamName>,
    /// How far the holder had come when it took the name, where the append knew.
    taken_at: Option<Revision>,
}

#[derive(Serialize, Deserialize)]
struct Taken {
    key: String,
    holder: String,
    /// Of the holder, with the events of this append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revision: Option<Revision>,
}

/// A line of a list: names that were taken, and those that were given back before.
#[derive(Default, Serialize, Deserialize)]
struct Listed {
    taken: Vec<String>,
    released: Vec<String>,
}

impl Kurrent {
    pub(super) async fn claim(&self, key: &ClaimKey) -> Result<Claim, Status> {
        let last = self.last(&self.names().claim(key)).await?;
        last.map_or_else(|| Ok(Claim::default()), |last| read(&last))
    }

    pub(super) async fn claims(
        &self,
        keys: impl IntoIterator<Item = ClaimKey>,
    ) -> Result<HashMap<ClaimKey, Claim>, Status> {
        futures::stream::iter(keys)
            .map(|key| async move { Ok((key.clone(), self.claim(&key).await?)) })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Who holds a name, with the stream's revision while it held it. The name is looked at before and after; if it has changed
    /// hands meanwhile, what stood when it did is as good an answer.
    pub(crate) async fn resolve(
        &self,
        key: &ClaimKey,
    ) -> Result<Option<(StreamName, Revision)>, ReadError> {
        let mut claim = self.claim(key).await.map_err(unread)?;
        for _ in 0..RESOLVED_TRIES_MAX {
            let Some(holder) = claim.holder.clone() else { return Ok(None) };
            let revision = self.stream_revision(&holder).await?;
            let after = self.claim(key).await.map_err(unread)?;
            if after == claim {
                return Ok(Some((holder, revision)));
            }
            if let (Some(holder), Some(revision)) = (&after.holder, after.taken_at) {
                return Ok(Some((holder.clone(), revision)));
            }
            claim = after;
        }
        Err(unread(Status::aborted("a name changes hands faster than it is looked up")))
    }

    pub(crate) async fn claims_of(&self, holder: &StreamName) -> Result<Vec<ClaimKey>, ReadError> {
        let names = self.listed(&self.names().held(holder)).await.map_err(unread)?;
        Ok(names.into_iter().map(ClaimKey::from_stored).collect())
    }

    /// A beginning has two parts at least, each ended by a colon: of names with fewer there is no list.
    pub(crate) async fn claims_under(
        &self,
        prefix: &ClaimKey,
        limit: usize,
    ) -> Result<Vec<ClaimKey>, ReadError> {
        let refused = || unread(Status::invalid_argument("names of one part are not listed"));
        let list = self.names().under(prefix).ok_or_else(refused)?;
        let names = self.listed(&list).await.map_err(unread)?.into_iter();
        let found = names.filter(|name| name.starts_with(prefix.as_str())).take(limit);
        Ok(found.map(ClaimKey::from_stored).collect())
    }

    async fn listed(&self, list: &str) -> Result<BTreeSet<String>, Status> {
        let mut names = BTreeSet::new();
        for event in self.whole(list).await? {
            let Listed { taken, released } =
                serde_json::from_slice(&event.data).map_err(|_| damaged())?;
            for name in released {
                names.remove(&name);
            }
            names.extend(taken);
        }
        Ok(names)
    }
}

/// What an append writes to take and give back names, where the names stand as they were found. Who holds a name that is to
/// be taken was refused before.
pub(super) fn records(
    names: &Names,
    append: &Append,
    found: &HashMap<ClaimKey, Claim>,
    mut id: impl FnMut() -> Uuid,
) -> Vec<AppendRecord> {
    let mut records = Vec::new();
    let mut lists: HashMap<String, Listed> = HashMap::new();
    let mut seen = BTreeSet::new();
    for key in append.releases.iter().filter(|key| seen.insert(*key)) {
        let Some(holder) = found.get(key).and_then(|claim| claim.holder.clone()) else { continue };
        for list in lists_of(names, key, &holder) {
            lists.entry(list).or_default().released.push(key.as_str().to_owned());
        }
        if append.claims.iter().all(|(taken, _)| taken != key) {
            let (key, holder) = (key.as_str().to_owned(), holder.as_str().to_owned());
            let stream = names.claim(&ClaimKey::from_stored(key.clone()));
            records.push(note(stream, id(), RELEASED, &Taken { key, holder, revision: None }));
        }
    }
    for (key, holder) in &append.claims {
        for list in lists_of(names, key, holder) {
            lists.entry(list).or_default().taken.push(key.as_str().to_owned());
        }
        let (stream, revision) = (names.claim(key), revision_after(append, holder));
        let (key, holder) = (key.as_str().to_owned(), holder.as_str().to_owned());
        records.push(note(stream, id(), TAKEN, &Taken { key, holder, revision }));
    }
    let mut lists: Vec<(String, Listed)> = lists.into_iter().collect();
    lists.sort_by(|(one, _), (other, _)| one.cmp(other));
    records.extend(lists.into_iter().map(|(list, line)| note(list, id(), LISTED, &line)));
    records
}

/// How far a stream will have come, if the append expects something of it.
fn revision_after(append: &Append, stream: &StreamName) -> Option<Revision> {
    let checked = append.checks.iter().find(|(checked, _)| checked == stream).map(|(_, at)| *at);
    let Some(part) = append.streams.iter().find(|part| part.stream == *stream) else {
        return checked;
    };
    let before = match part.expected {
        Expected::Exact(before) => Some(before),
        Expected::Any => checked,
    };
    before.map(|before| before.plus(u32::try_from(part.events.len()).unwrap_or(u32::MAX)))
}

/// The lists that a name stands in, but for names that nobody gives back.
fn lists_of(names: &Names, key: &ClaimKey, holder: &StreamName) -> impl Iterator<Item = String> {
    let is_listed = !key.as_str().starts_with(CLAIMS_KEPT);
    let lists = is_listed.then(|| [Some(names.held(holder)), names.under(key)]);
    lists.into_iter().flatten().flatten()
}

fn read(last: &RecordedEvent) -> Result<Claim, Status> {
    let at = revision_of(last);
    match type_of(last) {
        TAKEN => {
            let Taken { holder, revision, .. } =
                serde_json::from_slice(&last.data).map_err(|_| damaged())?;
            let holder = Some(StreamName::from_stored(holder));
            Ok(Claim { at, holder, taken_at: revision })
        }
        RELEASED => Ok(Claim { at, holder: None, taken_at: None }),
        _ => Err(damaged()),
    }
}

fn damaged() -> Status {
    Status::data_loss("the stream of a name is damaged")
}
