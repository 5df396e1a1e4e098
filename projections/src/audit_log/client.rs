//! From where: address and agent of the client, sealed by the command side.

use keynest_crypto::{Context, Keyring, Subject, sealed_under};
use keynest_domain::{KeyId, StreamName, TokenId};
use keynest_store::Recorded;
use serde::Deserialize;

use crate::error::ApplyError;
use crate::opening::open_text;

const SECONDS_A_DAY: i64 = 86_400;

/// Address and agent; nothing once the key is destroyed.
#[derive(Default, Deserialize)]
pub(crate) struct Client {
    pub address: Option<String>,
    pub agent: Option<String>,
    /// The token that was presented, if it was not a session's.
    pub token: Option<TokenId>,
}

/// The key that the address and agent of a caller without an account are sealed under.
pub(crate) fn day_key(recorded: &Recorded) -> Option<KeyId> {
    let metadata = &recorded.metadata;
    let sealed = metadata.client.as_ref().filter(|_| metadata.actor.is_none())?;
    sealed_under(sealed)
}

/// Opens what an event's metadata say of the client. A caller without an account is filed under the
/// day of the request, which may be the one before that of the recording.
pub(crate) async fn open(recorded: &Recorded, keyring: &Keyring) -> Result<Client, ApplyError> {
    let metadata = &recorded.metadata;
    let (Some(sealed), Some(request)) = (&metadata.client, metadata.request) else {
        return Ok(Client::default());
    };
    let day = recorded.recorded_at.seconds() / SECONDS_A_DAY;
    let mut subjects = match metadata.actor {
        Some(actor) => vec![Subject::User(actor)],
        None => [day, day - 1, day + 1].into_iter().filter_map(subject).collect(),
    }
    .into_iter();
    let opened = loop {
        let Some(subject) = subjects.next() else { return Ok(Client::default()) };
        let stream = StreamName::new("client", "request");
        let context = Context::new(subject, stream, "metadata", request.to_string());
        match open_text(keyring, &context, sealed).await {
            Ok(text) => break text,
            Err(ApplyError::Failing(_)) if !subjects.as_slice().is_empty() => {}
            Err(error) => return Err(error),
        }
    };
    let Some(text) = opened else { return Ok(Client::default()) };
    serde_json::from_str(&text)
        .map_err(|_| ApplyError::failing("the sealed client is not of the known shape"))
}

fn subject(day: i64) -> Option<Subject> {
    u32::try_from(day).ok().map(Subject::Day)
}
