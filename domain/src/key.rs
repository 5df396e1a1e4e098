//! A data key outside the log, and the one fact about it that is in the log: that it was destroyed.

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, KeyId, Subject};

events! {
    /// A data key is destroyed: from here on nothing that was sealed under it opens, in no process.
    KeyDestroyed = "key.destroyed" v 1,
}

/// See [`Event::KeyDestroyed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct KeyDestroyed {
    pub key: KeyId,
    /// Whose key it was: kind and id.
    pub subject: Subject,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct DataKey {
    pub is_destroyed: bool,
}

impl Aggregate for DataKey {
    type Id = KeyId;
    type Event = Event;
    const CATEGORY: &'static str = "key";

    fn evolve(mut self, event: &Event) -> Self {
        let Event::KeyDestroyed(_) = event;
        self.is_destroyed = true;
        self
    }
}

/// Announces that a key is destroyed, once.
pub fn destroy(state: &DataKey, key: KeyId, subject: Subject) -> Vec<Event> {
    if state.is_destroyed { Vec::new() } else { vec![KeyDestroyed { key, subject }.into()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UserId;

    #[test]
    fn a_key_is_destroyed_once() {
        let (key, subject) = (KeyId::new(uuid::Uuid::nil()), Subject::User(UserId::new(1)));
        let said = destroy(&DataKey::default(), key, subject);
        assert_eq!(said, [KeyDestroyed { key, subject }.into()]);
        let state = said.iter().fold(DataKey::default(), DataKey::evolve);
        assert_eq!(destroy(&state, key, subject), []);
    }
}
