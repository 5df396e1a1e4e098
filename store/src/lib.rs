//! The event store (DESIGN 4): append atomically, read, resolve claims, subscribe, and the codec of events.
#![warn(missing_docs)]

mod admission;
mod backwards;
mod by_position;
mod cloud_event;
mod codec;
mod event_filter;
mod event_id;
mod event_store;
mod for_auditors;
mod format;
mod idempotency;
pub mod kurrentdb;
mod memory;
mod port;
pub mod postgres;
pub mod quota;
mod session_uses;
mod subscription;
mod token_uses;
mod upcast;

pub use cloud_event::{cloud_event, withheld_fields};
pub use codec::{DecodeError, decode, encode};
pub use event_filter::{EventFilter, NamePattern};
pub use event_id::event_id;
pub use event_store::{COUNTED_MAX, EventStore};
pub use for_auditors::{SealedField, fields_for_auditors, sealed_for_auditors};
pub use format::{FORMAT, Format, FormatLevel, Lowering, Since};
pub use idempotency::*;
pub use memory::Memory;
pub use port::*;
pub use postgres::PostgresKeyTable;
pub use session_uses::{SESSION_USE_KEPT, SESSION_USE_NOTED_EVERY, SessionUses};
pub use subscription::Subscription;
pub use token_uses::{TOKEN_USE_EVERY, TokenUses};
