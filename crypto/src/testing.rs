//! Values for this crate's tests.

use std::sync::Arc;

use crate::{Keyring, MemoryKeyTable, RootKey};

/// A keyring with fresh keys over an empty table.
pub async fn keyring() -> Keyring {
    Keyring::unlock(RootKey::generate(), Arc::new(MemoryKeyTable::new())).await.unwrap()
}

/// The token cut at every length, with every character changed, with something added, and in another alphabet.
pub fn every_damage(token: &str) -> Vec<String> {
    let mut damaged: Vec<_> = (0..token.len()).map(|end| token[..end].to_owned()).collect();
    for at in 0..token.len() {
        let other = if token.as_bytes()[at] == b'A' { 'B' } else { 'A' };
        damaged.push(format!("{}{other}{}", &token[..at], &token[at + 1..]));
    }
    for ending in ["A", "=", "==", "\n", " ", "\0", ".", "ü", token] {
        damaged.push(format!("{token}{ending}"));
    }
    damaged.extend([format!(" {token}"), "ü".repeat(46), "/".repeat(token.len())]);
    damaged
}
