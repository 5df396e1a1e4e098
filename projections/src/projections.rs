//! The projections of the product, and what is done with all of them.

use std::sync::Arc;

use keynest_crypto::Keyring;
use keynest_store::EventStore;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::follower::Follower;
use crate::lag;
use crate::projection::Projection;
use crate::runner::{Runner, RunnerError};
use crate::status::{self, ProjectionStatus};
use crate::visibility::Visibility;
use crate::{
    AuditLog, Environments, Factors, Identities, Invitations, Organizations, Projects, Sessions,
    Tokens, Users, Variables, live, reconnects,
};

/// Every projection of the product.
pub fn all() -> Vec<Arc<dyn Projection>> {
    vec![
        Arc::new(Users),
        Arc::new(Sessions),
        Arc::new(Organizations),
        Arc::new(Invitations),
        Arc::new(Projects),
        Arc::new(Environments),
        Arc::new(Variables),
        Arc::new(Identities),
        Arc::new(Factors),
        Arc::new(Tokens),
        Arc::new(AuditLog),
    ]
}

/// The projections of a process, with everything they need. Clones share everything.
#[derive(Clone)]
pub struct Projections {
    pub(crate) projections: Vec<Arc<dyn Projection>>,
    pub(crate) store: EventStore,
    pub(crate) keyring: Keyring,
    pub(crate) read: PgPool,
    visibility: Visibility,
}

impl Projections {
    /// All of [`all`], over a pool of [`crate::connect_read_pool`].
    pub fn new(store: EventStore, keyring: Keyring, read: PgPool) -> Self {
        Self::of(all(), store, keyring, read)
    }

    /// Some projections only.
    pub fn of(
        projections: Vec<Arc<dyn Projection>>,
        store: EventStore,
        keyring: Keyring,
        read: PgPool,
    ) -> Self {
        let visibility = Visibility::new(projections.iter().map(|projection| projection.name()));
        Self { projections, store, keyring, read, visibility }
    }

    /// Up to where each projection is visible, for whoever wants to read own writes.
    pub fn visibility(&self) -> &Visibility {
        &self.visibility
    }

    /// Runs every projection until `stop`; the tracker's `wait` returns when all have stopped.
    pub fn start(&self, stop: &CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        let lost = watch::Sender::new(0);
        for projection in &self.projections {
            let runner = self.runner(projection);
            tasks.spawn(live::run(runner, lost.subscribe(), stop.clone()));
        }
        let names = self.projections.iter().map(|projection| projection.name()).collect();
        let (store, visibility) = (self.store.clone(), self.visibility.clone());
        tasks.spawn(lag::measure(names, store, visibility, stop.clone()));
        tasks.spawn(reconnects::watch(self.read.clone(), lost, stop.clone()));
        tasks.close();
        tasks
    }

    /// For a process whose projections run elsewhere: only sees how far they have come.
    pub fn follow(&self, stop: &CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        let follower = Follower {
            projections: self.projections.clone(),
            store: self.store.clone(),
            rows: self.read.clone(),
            visibility: self.visibility.clone(),
        };
        tasks.spawn(follower.run(stop.clone()));
        tasks.close();
        tasks
    }

    /// Runs every projection to the head of the log and returns.
    pub async fn catch_up(&self) -> Result<(), RunnerError> {
        for projection in &self.projections {
            self.runner(projection).catch_up().await?;
        }
        Ok(())
    }

    /// How every projection is doing.
    pub async fn status(&self) -> Result<Vec<ProjectionStatus>, RunnerError> {
        let mut all = Vec::with_capacity(self.projections.len());
        for projection in &self.projections {
            all.push(status::of(&**projection, &self.store, &self.read).await?);
        }
        Ok(all)
    }

    pub(crate) fn runner(&self, projection: &Arc<dyn Projection>) -> Runner {
        Runner {
            projection: Arc::clone(projection),
            store: self.store.clone(),
            rows: self.read.clone(),
            keyring: self.keyring.clone(),
            visibility: Some(self.visibility.clone()),
        }
    }
}
