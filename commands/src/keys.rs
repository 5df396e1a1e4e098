//! Destroying data keys. The log says it first: whoever passes `KeyDestroyed` sees to it that the key is gone before
//! anything behind it is read, so a crash between the two is mended by the next reader of the log (DESIGN 5).

use keynest_domain::key::{self, DataKey};
use keynest_domain::{Event, KeyId, Subject};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct Destroy {
    key: KeyId,
    subject: Subject,
}

impl Commands {
    /// Destroys a subject's key, for good: nothing sealed under it opens again. Nothing happens if there never was one.
    pub async fn destroy_key(
        &self,
        origin: &Origin,
        subject: Subject,
    ) -> Result<Option<KeyId>, CommandError> {
        let Some(key) = self.keyring().key_of(subject).await? else { return Ok(None) };
        self.announce_destroyed(origin, key, subject).await?;
        // Also when it was announced before, by a process that did not come further.
        self.keyring().destroy_all(&[key]).await?;
        Ok(Some(key))
    }

    /// Says in the log that a key is destroyed, unless it says so already.
    pub async fn announce_destroyed(
        &self,
        origin: &Origin,
        key: KeyId,
        subject: Subject,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Destroy { key, subject }).await
    }

    /// After an append: destroys the keys that it announced. The command is done either way.
    pub(crate) async fn destroy_announced(&self, events: &[Event]) {
        let announced: Vec<KeyId> = events.iter().filter_map(announced).collect();
        if announced.is_empty() {
            return;
        }
        if let Err(error) = self.keyring().destroy_all(&announced).await {
            tracing::warn!(%error, "announced keys are destroyed by the next reader of the log");
        }
    }
}

impl Unit<'_> {
    /// Destroys a subject's key together with whatever else this try does.
    pub async fn destroy_key(&mut self, subject: Subject) -> Result<(), CommandError> {
        match self.commands().keyring().key_of(subject).await? {
            Some(key) => self.announce(key, subject).await,
            None => Ok(()),
        }
    }

    async fn announce(&mut self, key: KeyId, subject: Subject) -> Result<(), CommandError> {
        let state = self.load::<DataKey>(key).await?;
        let events = key::destroy(&state, key, subject);
        if let (Subject::Farewell(user), false) = (subject, events.is_empty()) {
            // Signed in while the account was erased: from then on nobody can, so this is the last of it.
            self.release_everything_of(user).await?;
        }
        self.stage::<DataKey>(key, events);
        Ok(())
    }
}

impl UseCase for Destroy {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.announce(self.key, self.subject).await
    }

    fn outcome(&self, _: &[Event]) {}
}

fn announced(event: &Event) -> Option<KeyId> {
    match event {
        Event::Key(key::Event::KeyDestroyed(it)) => Some(it.key),
        Event::User(_)
        | Event::Session(_)
        | Event::Login(_)
        | Event::Federation(_)
        | Event::Challenge(_)
        | Event::Organization(_)
        | Event::Project(_)
        | Event::Environment(_)
        | Event::Access(_)
        | Event::Refusals(_)
        | Event::Limits(_)
        | Event::Provider(_)
        | Event::Exchange(_) => None,
    }
}
