//! What is refused before it is queued, so that nothing in a batch can fail on its input (DESIGN 4).

use std::collections::HashSet;

use keynest_domain::StreamName;

use crate::port::*;

/// An append that passed, with the figures that batches are cut by.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    pub append: Append,
    pub events: usize,
    /// Payload bytes, and the sealed client once per event, as it is stored.
    pub bytes: usize,
}

/// How large an append may be.
pub(crate) struct Sizes {
    events: usize,
    conditions: usize,
    event_bytes: usize,
    bytes: usize,
}

/// What callers of the port may append.
pub(crate) const PORT: Sizes = Sizes {
    events: APPEND_EVENTS_MAX,
    conditions: APPEND_CONDITIONS_MAX,
    event_bytes: EVENT_BYTES_MAX,
    bytes: APPEND_BYTES_MAX,
};

/// The same as the backend `kurrentdb` sends it: claims are events there, and events are in envelopes.
pub(crate) const PROTOCOL: Sizes = Sizes {
    events: PROTOCOL_EVENTS_MAX,
    conditions: 2 * PROTOCOL_EVENTS_MAX,
    event_bytes: PROTOCOL_EVENT_BYTES_MAX,
    bytes: PROTOCOL_BYTES_MAX,
};

/// Checks every size, count and character.
pub(crate) fn admit(append: Append, sizes: &Sizes) -> Result<Admitted, AppendError> {
    let refuse = |why: String| Err(AppendError::Malformed(why));
    let events: usize = append.streams.iter().map(|part| part.events.len()).sum();
    if events == 0 {
        return refuse("no events".to_owned());
    }
    if events > sizes.events {
        return refuse(format!("{events} events, at most {} go in one append", sizes.events));
    }
    for (what, count) in [
        ("checks", append.checks.len()),
        ("claims", append.claims.len()),
        ("releases", append.releases.len()),
    ] {
        if count > sizes.conditions {
            return refuse(format!(
                "{count} {what}, at most {} go in one append",
                sizes.conditions
            ));
        }
    }
    let streams = check_streams(&append, sizes)?;
    check_claims(&append, &streams)?;
    let client = append.metadata.client.as_ref().map_or(0, |client| client.as_bytes().len());
    if client > CLIENT_BYTES_MAX {
        return refuse(format!("a sealed client of {client} bytes, at most {CLIENT_BYTES_MAX}"));
    }
    let payload: usize =
        append.streams.iter().flat_map(|part| &part.events).map(|event| event.data.len()).sum();
    if payload > sizes.bytes {
        return refuse(format!("{payload} bytes of payload, at most {}", sizes.bytes));
    }
    Ok(Admitted { events, bytes: payload + client * events, append })
}

/// Answers the written streams.
fn check_streams(append: &Append, sizes: &Sizes) -> Result<HashSet<StreamName>, AppendError> {
    let mut written = HashSet::new();
    for part in &append.streams {
        check_text("stream name", part.stream.as_str(), STREAM_NAME_BYTES_MAX)?;
        if part.events.is_empty() {
            return Err(AppendError::Malformed(format!("no events for stream {}", part.stream)));
        }
        if !written.insert(part.stream.clone()) {
            return Err(AppendError::Malformed(format!("stream {} is named twice", part.stream)));
        }
        for event in &part.events {
            check_text("event name", &event.name, EVENT_NAME_BYTES_MAX)?;
            if event.version == 0 {
                return Err(AppendError::Malformed(format!("{} has version 0", event.name)));
            }
            if event.data.len() > sizes.event_bytes {
                return Err(AppendError::Malformed(format!(
                    "{} has {} bytes, at most {}",
                    event.name,
                    event.data.len(),
                    sizes.event_bytes
                )));
            }
        }
    }
    let mut checked = HashSet::new();
    for (stream, _) in &append.checks {
        check_text("stream name", stream.as_str(), STREAM_NAME_BYTES_MAX)?;
        if !checked.insert(stream) {
            return Err(AppendError::Malformed(format!("stream {stream} is checked twice")));
        }
    }
    Ok(written)
}

/// A claim's stream must be written here or checked to exist, so that no claim can point to nothing.
fn check_claims(append: &Append, written: &HashSet<StreamName>) -> Result<(), AppendError> {
    let mut claimed = HashSet::new();
    for (key, stream) in &append.claims {
        check_text("claim key", key.as_str(), CLAIM_KEY_BYTES_MAX)?;
        if !claimed.insert(key) {
            return Err(AppendError::Malformed("a claim is taken twice".to_owned()));
        }
        let is_checked =
            append.checks.iter().any(|(checked, at)| checked == stream && *at != Revision::NONE);
        if !is_checked && !written.contains(stream) {
            return Err(AppendError::Malformed(format!(
                "a claim for stream {stream}, which is neither written nor checked to exist"
            )));
        }
    }
    append
        .releases
        .iter()
        .try_for_each(|key| check_text("claim key", key.as_str(), CLAIM_KEY_BYTES_MAX))
}

/// Postgres has no NUL in text.
fn check_text(what: &str, text: &str, bytes_max: usize) -> Result<(), AppendError> {
    if text.is_empty() {
        return Err(AppendError::Malformed(format!("an empty {what}")));
    }
    if text.len() > bytes_max {
        return Err(AppendError::Malformed(format!(
            "a {what} of {} bytes, at most {bytes_max}",
            text.len()
        )));
    }
    if text.contains('\0') {
        return Err(AppendError::Malformed(format!("a NUL in a {what}")));
    }
    Ok(())
}
