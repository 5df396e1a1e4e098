//! The write side: one file per use case. Authorise, load, decide, append, again on conflict.

pub mod access;
mod cache;
pub mod claims;
mod clock;
pub mod environment;
mod error;
pub mod exchange;
mod execute;
pub mod federation;
mod keys;
pub mod limits;
pub mod login;
pub mod organization;
mod origin;
pub mod project;
pub mod provider;
mod sealed_names;
pub mod session;
mod settings;
mod step_up;
pub mod token;
mod turns;
mod unit;
pub mod user;

use std::sync::Arc;

use keynest_crypto::{Context, Keyring, PasswordHasher, RelyingParty, Subject};
use keynest_domain::{Aggregate, Sealed, StreamName};
use keynest_store::{EventStore, Revision};

pub use cache::STATES_MAX_DEFAULT;
pub use clock::Clock;
pub use error::CommandError;
pub use execute::{ATTEMPTS_MAX, Executed, UseCase};
pub use origin::{Client, Origin, PresentedToken, Repeatable};
pub use settings::{SERVICES_PER_ORGANIZATION_MAX, Settings, TOKENS_PER_USER_MAX};
pub use unit::Unit;

/// The write side of one process. Clones share everything.
#[derive(Clone)]
pub struct Commands(Arc<Parts>);

struct Parts {
    store: EventStore,
    keyring: Keyring,
    hasher: PasswordHasher,
    clock: Clock,
    states: cache::States,
    homes: cache::Homes,
    refusals: access::Refusals,
    spraying: login::Spraying,
    turns: turns::Turns,
    settings: Settings,
}

impl Commands {
    /// Puts the write side together, with the default settings.
    pub fn new(store: EventStore, keyring: Keyring, hasher: PasswordHasher, clock: Clock) -> Self {
        Self::with_settings(store, keyring, hasher, clock, Settings::default())
    }

    /// Puts the write side together.
    pub fn with_settings(
        store: EventStore,
        keyring: Keyring,
        hasher: PasswordHasher,
        clock: Clock,
        settings: Settings,
    ) -> Self {
        let states = cache::States::new(settings.states_max);
        let homes = cache::Homes::new(settings.states_max);
        let refusals = access::Refusals::default();
        let (spraying, turns) = (login::Spraying::default(), turns::Turns::default());
        Self(Arc::new(Parts {
            store,
            keyring,
            hasher,
            clock,
            states,
            homes,
            refusals,
            spraying,
            turns,
            settings,
        }))
    }

    /// Time and ids.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What the configuration says.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Sealing, opening, digests.
    pub fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// Passwords hashed or compared so far.
    pub fn hashes(&self) -> u64 {
        self.hasher().count()
    }

    /// Signatures of passkeys compared so far.
    pub fn signatures(&self) -> u64 {
        self.settings().relying_party.as_ref().map_or(0, RelyingParty::compared)
    }

    /// The event log.
    pub fn store(&self) -> &EventStore {
        &self.0.store
    }

    /// An aggregate as it stands now, for reactors and jobs; nothing is checked or written.
    pub async fn read<A: Aggregate>(&self, id: A::Id) -> Result<Arc<A>, CommandError> {
        let origin = Origin::product(self.clock().request_id());
        Unit::new(self, &origin, true).load::<A>(id).await
    }

    /// The events of a stream before a revision, in order.
    pub async fn history<A: Aggregate>(
        &self,
        stream: &StreamName,
        before: Revision,
    ) -> Result<Vec<A::Event>, CommandError> {
        let recorded = self.store().read_stream(stream, Revision::NONE).await?;
        let earlier = recorded.iter().take_while(|event| event.revision < before);
        earlier.map(unit::decoded::<A>).collect()
    }

    pub(crate) fn hasher(&self) -> &PasswordHasher {
        &self.0.hasher
    }

    pub(crate) fn refusals(&self) -> &access::Refusals {
        &self.0.refusals
    }

    pub(crate) fn spraying(&self) -> &login::Spraying {
        &self.0.spraying
    }

    pub(crate) fn turns(&self) -> &turns::Turns {
        &self.0.turns
    }

    pub(crate) fn homes(&self) -> &cache::Homes {
        &self.0.homes
    }

    pub(crate) fn states(&self) -> &cache::States {
        &self.0.states
    }

    /// Seals a client's address and agent: under the actor's key, or the day's for anonymous callers (DESIGN 5).
    pub(crate) async fn seal_client(
        &self,
        origin: &Origin,
        client: &Client,
    ) -> Result<Sealed, CommandError> {
        let today = u32::try_from(self.clock().now().seconds() / 86_400).unwrap_or(0);
        let context = Context {
            subject: origin.actor.map_or(Subject::Day(today), Subject::User),
            stream: StreamName::new("client", "request"),
            event: "metadata".into(),
            field: origin.request.to_string().into(),
        };
        let text = serde_json::to_vec(client).expect("two optional texts are always JSON");
        Ok(self.keyring().seal(&context, &text).await?)
    }
}
