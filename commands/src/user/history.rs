//! What the log holds of a person under the person's own name, opened for that person.

use keynest_crypto::{Context, Subject};
use keynest_domain::user::export::{PERSONAL, PLAIN};
use keynest_domain::user::{Rejection, User};
use keynest_domain::{Aggregate, Sealed, Timestamp, UserId};
use keynest_store::{Recorded, Revision};
use serde_json::{Map, Value};

use super::request_email_change;
use crate::unit::decode_any;
use crate::{CommandError, Commands};

/// Facts in one copy: the newest ones.
pub const HISTORY_MAX: usize = 10_000;

/// A fact of an account, as its owner is told it. Never printed.
#[derive(Clone)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Remembered {
    pub event: String,
    pub recorded_at: Timestamp,
    /// The fields, without secrets.
    pub facts: Map<String, Value>,
}

/// An address that waits for both sides to confirm it. Never printed.
#[derive(Clone)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PendingEmail {
    pub email: String,
    pub expires_at: Timestamp,
}

impl Commands {
    /// Every fact of an account, oldest first: for its owner.
    pub async fn own_history(&self, user: UserId) -> Result<Vec<Remembered>, CommandError> {
        let recorded = self.store().read_stream(&User::stream(user), Revision::NONE).await?;
        let skipped = recorded.len().saturating_sub(HISTORY_MAX);
        let mut history = Vec::new();
        for event in &recorded[skipped..] {
            history.push(self.told(user, event).await?);
        }
        Ok(history)
    }

    /// The change of address that waits, if one does.
    pub async fn own_pending_email(
        &self,
        user: UserId,
    ) -> Result<Option<PendingEmail>, CommandError> {
        let state = self.read::<User>(user).await?;
        let now = self.clock().now();
        let open = state.email_change.as_ref().filter(|change| now < change.expires_at);
        let Some(change) = open else { return Ok(None) };
        let event = Some(request_email_change::EVENT);
        let email = self.open_user_field(user, Some(&change.email), event, "email").await?;
        Ok(Some(PendingEmail { email, expires_at: change.expires_at }))
    }

    async fn told(&self, user: UserId, recorded: &Recorded) -> Result<Remembered, CommandError> {
        let event = decode_any(recorded)?;
        let damaged = || CommandError::Damaged(recorded.stream.to_string());
        let stored = serde_json::to_value(&event).map_err(|_| damaged())?;
        let mut facts = Map::new();
        for (field, value) in stored.as_object().ok_or_else(damaged)? {
            if PLAIN.contains(&field.as_str()) {
                facts.insert(field.clone(), value.clone());
            } else if PERSONAL.contains(&field.as_str()) {
                let sealed: Option<Sealed> =
                    serde_json::from_value(value.clone()).map_err(|_| damaged())?;
                let text = self.told_field(user, event.name(), field, sealed).await?;
                facts.insert(field.clone(), text);
            }
        }
        let (event, recorded_at) = (event.name().to_owned(), recorded.recorded_at);
        Ok(Remembered { event, recorded_at, facts })
    }

    async fn told_field(
        &self,
        user: UserId,
        event: &'static str,
        field: &str,
        sealed: Option<Sealed>,
    ) -> Result<Value, CommandError> {
        let Some(sealed) = sealed else { return Ok(Value::Null) };
        let (subject, stream) = (Subject::User(user), User::stream(user));
        let context = Context::new(subject, stream, event, field.to_owned());
        let text = self.keyring().open_text(&context, &sealed).await?.ok_or(Rejection::Absent)?;
        Ok(Value::from(text.as_str()))
    }
}
