//! Backup and restore: the log in one folder, the keys that open it in another, and what makes a restored log safe to serve.

mod manifest;
mod renew;
mod restore;
mod take;

pub use manifest::{KEYS, LOG, Manifest};
pub use renew::{Renewed, renew};
pub use restore::{Wanted, nobody_else, restore};
pub use take::{LEDGER, Taken, take};
