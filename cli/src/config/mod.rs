//! The configuration: one TOML file, every key of which a variable `KEYNEST_<SECTION>_<KEY>` overrides.

mod accounts;
mod bounds;
mod error;
mod files;
mod load;
mod secret;
mod section;
mod sections;
mod show;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub use accounts::*;
pub use error::ConfigError;
pub use load::{FILE_VARIABLE, Loaded, Origin};
pub use secret::{Secret, SecretUrl};
pub use sections::*;
pub use text::WebOrigin;
