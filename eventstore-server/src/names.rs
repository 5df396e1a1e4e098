//! Names of streams: which are a stream's settings, and which names are taken.

use keynest_domain::StreamName;
use keynest_store::STREAM_NAME_BYTES_MAX;
use tonic::Status;

use crate::proto::event_store::client::StreamIdentifier;

/// How the stream with another stream's settings begins.
const SETTINGS: &str = "$$";

/// The name that a client sent.
pub(crate) fn asked(identifier: Option<StreamIdentifier>) -> Result<String, Status> {
    let bytes = identifier.map(|it| it.stream_name).unwrap_or_default();
    let name = String::from_utf8(bytes.into())
        .map_err(|_| Status::invalid_argument("stream name is not UTF-8"))?;
    checked(name).map_err(Status::invalid_argument)
}

/// The name, unless no stream can have it. Room is kept for the stream of its settings.
pub(crate) fn checked(name: String) -> Result<String, String> {
    let bytes_max = STREAM_NAME_BYTES_MAX - SETTINGS.len();
    if name.is_empty() || name == SETTINGS {
        return Err("stream name is empty".to_owned());
    }
    if name.len() > bytes_max {
        return Err(format!("stream name has {} bytes, at most {bytes_max}", name.len()));
    }
    if name.contains('\0') {
        return Err("stream name has a NUL".to_owned());
    }
    Ok(name)
}

pub(crate) fn stored(name: &str) -> StreamName {
    StreamName::from_stored(name.to_owned())
}

pub(crate) fn identifier(name: &str) -> Option<StreamIdentifier> {
    Some(StreamIdentifier { stream_name: name.to_owned().into() })
}

pub(crate) fn is_settings(name: &str) -> bool {
    name.starts_with(SETTINGS)
}

/// The stream whose settings these are, or the name itself.
pub(crate) fn original_of(name: &str) -> &str {
    name.strip_prefix(SETTINGS).unwrap_or(name)
}

/// Where a stream's settings are; those of settings are fixed.
pub(crate) fn settings_of(name: &str) -> StreamName {
    if is_settings(name) {
        stored(name)
    } else {
        StreamName::from_stored(format!("{SETTINGS}{name}"))
    }
}
