//! The rules of KeyNest: aggregates as deciders, value types and the permission matrix.
//! No input, no output, no clock, no randomness: time and ids come in as arguments.
#![warn(missing_docs)]

pub mod access;
mod aggregate;
mod assurance;
pub mod challenge;
pub mod condition;
pub mod device;
pub mod environment;
mod event;
pub mod exchange;
pub mod federation;
pub mod key;
pub mod limits;
pub mod login;
pub mod organization;
pub mod permission;
pub mod project;
pub mod provider;
pub mod refusals;
pub mod scope;
pub mod session;
#[cfg(test)]
mod testing;
pub mod user;
mod value;

pub use aggregate::{Aggregate, StreamName};
pub use assurance::{Bearer, Shown};
pub use environment::{EnvironmentType, FileFormat};
pub use event::Event;
pub use permission::{Permission, Role, authorize};
pub use scope::{Place, Reach, TokenAccess, TokenScope, authorize_scoped};
pub use value::*;
