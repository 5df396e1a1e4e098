//! Which groups there are: a stream of the log says so. Those that somebody uses are at work in this process.

use std::collections::{BTreeMap, HashMap};

use keynest_store::{EventStore, Revision};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, mpsc};
use tonic::{Code, Status};

use super::config::{Config, GroupKey};
use super::group::{Command, Group};
use super::records::{forget, refused};
use crate::append::{Expected, Refusal, Write, append};
use crate::envelope::{Event, JSON, Proposed};
use crate::ids::new_id;
use crate::names::stored;
use crate::status::unreadable;

const CONFIGS: &str = "$persistentSubscriptionConfig";
const CONFIG_TYPE: &str = "$PersistentConfig";
/// Groups; each has its state in memory.
pub(super) const GROUPS_MAX: usize = 1_000;
/// How often a change is made again because another process made one.
const ATTEMPTS_MAX: usize = 32;

/// One event of the stream of configurations.
#[derive(Serialize, Deserialize)]
struct Change {
    key: GroupKey,
    /// None when the group is deleted.
    config: Option<Config>,
}

pub(super) struct Registry {
    store: EventStore,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    groups: BTreeMap<(String, String), (GroupKey, Config)>,
    until: Revision,
    at_work: HashMap<GroupKey, mpsc::Sender<Command>>,
}

impl Registry {
    pub(super) fn new(store: EventStore) -> Self {
        Self { store, known: Mutex::default() }
    }

    pub(super) async fn create(&self, key: GroupKey, config: Config) -> Result<(), Status> {
        self.change(&key, |known| match known {
            Some(_) => Err(refused(&key, Code::AlreadyExists, "persistent-subscription-exists")),
            None => Ok(Some(config.clone())),
        })
        .await
    }

    pub(super) async fn update(
        &self,
        key: &GroupKey,
        change: impl Fn(Config) -> Config,
    ) -> Result<(), Status> {
        self.change(key, |known| {
            known.cloned().map(|it| Some(change(it))).ok_or_else(|| absent(key))
        })
        .await?;
        self.end(key).await;
        Ok(())
    }

    pub(super) async fn delete(&self, key: &GroupKey) -> Result<(), Status> {
        self.change(key, |known| if known.is_some() { Ok(None) } else { Err(absent(key)) }).await?;
        self.end(key).await;
        forget(&self.store, key).await
    }

    pub(super) async fn find(&self, key: &GroupKey) -> Result<Config, Status> {
        let mut known = self.known.lock().await;
        known.refresh(&self.store).await?;
        known.groups.get(&place(key)).map(|(_, config)| config.clone()).ok_or_else(|| absent(key))
    }

    pub(super) async fn all(&self) -> Result<Vec<(GroupKey, Config)>, Status> {
        let mut known = self.known.lock().await;
        known.refresh(&self.store).await?;
        Ok(known.groups.values().cloned().collect())
    }

    /// The group at work, begun if it is not.
    pub(super) async fn at_work(&self, key: &GroupKey) -> Result<mpsc::Sender<Command>, Status> {
        let config = self.find(key).await?;
        let mut known = self.known.lock().await;
        if let Some(commands) = known.at_work.get(key).filter(|it| !it.is_closed()) {
            return Ok(commands.clone());
        }
        let commands = Group::start(self.store.clone(), key.clone(), config).await?;
        known.at_work.insert(key.clone(), commands.clone());
        Ok(commands)
    }

    /// Ends all groups that are at work.
    pub(super) async fn restart(&self) {
        for (_, commands) in self.known.lock().await.at_work.drain() {
            // One that has ended need not be told.
            commands.send(Command::End).await.ok();
        }
    }

    /// A group that is at work; it is begun anew by the next consumer.
    async fn end(&self, key: &GroupKey) {
        let commands = self.known.lock().await.at_work.remove(key);
        if let Some(commands) = commands {
            // One that has ended need not be told.
            commands.send(Command::End).await.ok();
            commands.closed().await;
        }
    }

    async fn change(
        &self,
        key: &GroupKey,
        decide: impl Fn(Option<&Config>) -> Result<Option<Config>, Status>,
    ) -> Result<(), Status> {
        let mut known = self.known.lock().await;
        for _ in 0..ATTEMPTS_MAX {
            known.refresh(&self.store).await?;
            let config = decide(known.groups.get(&place(key)).map(|(_, config)| config))?;
            if config.is_some() && known.groups.len() >= GROUPS_MAX {
                return Err(Status::resource_exhausted(format!("at most {GROUPS_MAX} groups")));
            }
            let change = Change { key: key.clone(), config };
            match append(&self.store, &[known.write(&change)?], &[]).await {
                Ok(_) => return known.refresh(&self.store).await,
                Err(Refusal::WrongExpected { .. }) => {}
                Err(refusal) => return Err(refusal.into()),
            }
        }
        Err(Refusal::Busy.into())
    }
}

impl Known {
    async fn refresh(&mut self, store: &EventStore) -> Result<(), Status> {
        let news = store.read_stream(&stored(CONFIGS), self.until).await.map_err(unreadable)?;
        for recorded in news {
            self.until = recorded.revision;
            let Ok(change) = serde_json::from_slice::<Change>(&Event::from(recorded).data) else {
                continue;
            };
            let place = place(&change.key);
            match change.config {
                Some(config) => drop(self.groups.insert(place, (change.key, config))),
                None => drop(self.groups.remove(&place)),
            }
        }
        Ok(())
    }

    fn write(&self, change: &Change) -> Result<Write, Status> {
        let data =
            serde_json::to_vec(change).map_err(|error| Status::internal(error.to_string()))?;
        let event = Proposed {
            id: new_id(),
            kind: CONFIG_TYPE.to_owned(),
            content_type: JSON.to_owned(),
            metadata: bytes::Bytes::new(),
            data: data.into(),
        };
        let expected = match self.until.get().checked_sub(1) {
            Some(last) => Expected::Revision(u64::from(last)),
            None => Expected::NoStream,
        };
        Ok(Write { stream: CONFIGS.to_owned(), expected, events: vec![event] })
    }
}

fn place(key: &GroupKey) -> (String, String) {
    (key.source().to_owned(), key.group.clone())
}

pub(super) fn absent(key: &GroupKey) -> Status {
    refused(key, Code::NotFound, "persistent-subscription-does-not-exist")
}
