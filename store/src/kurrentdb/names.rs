//! What streams of ours are called in a database that may hold others' as well.

use keynest_crypto::sha256;
use keynest_domain::{CommandId, StreamName};

use crate::port::ClaimKey;

/// Longest name of a stream there: room for the protocol's `$$` and no more than the face takes.
const NAME_BYTES_MAX: usize = 190;
/// Begins a name that stands for a longer one.
const DIGESTED: char = '~';

/// How the names of one log begin.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// How the names begin of streams with events of the log; nothing else begins like this.
    pub(super) fn events(&self) -> String {
        format!("{}/", self.prefix)
    }

    /// Where a stream's events are.
    pub(super) fn stream(&self, stream: &StreamName) -> String {
        let name = stream.as_str();
        let plain = format!("{}{name}", self.events());
        if plain.len() <= NAME_BYTES_MAX && !name.starts_with(DIGESTED) {
            return plain;
        }
        format!("{}{DIGESTED}{}", self.events(), digest(name))
    }

    /// The stream, or `None` for a name that stands for a longer one.
    pub(super) fn plain(&self, name: &str) -> Option<StreamName> {
        let name = name.strip_prefix(&self.events())?;
        (!name.starts_with(DIGESTED)).then(|| StreamName::from_stored(name.to_owned()))
    }

    /// What the log knows of itself.
    pub(super) fn log(&self) -> String {
        format!("{}:log", self.prefix)
    }

    /// Whether a command was done.
    pub(super) fn command(&self, command: CommandId) -> String {
        format!("{}:command/{}", self.prefix, command.get().simple())
    }

    /// Who holds a name.
    pub(super) fn claim(&self, claim: &ClaimKey) -> String {
        format!("{}:claim/{}", self.prefix, digest(claim.as_str()))
    }

    /// Which names a stream holds.
    pub(super) fn held(&self, holder: &StreamName) -> String {
        format!("{}:held/{}", self.prefix, digest(holder.as_str()))
    }

    /// Which names begin like this, up to the last colon. None where so many do that nobody asks for them.
    pub(super) fn under(&self, claim: &ClaimKey) -> Option<String> {
        let (beginning, _) = claim.as_str().rsplit_once(':')?;
        beginning.contains(':').then(|| format!("{}:under/{}", self.prefix, digest(beginning)))
    }
}

fn digest(text: &str) -> String {
    sha256(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_again_unless_it_is_too_long() {
        let names = Names::new("keynest");
        for short in ["organization-7", "/", "$all", "\u{e9}"] {
            let stream = StreamName::from_stored(short.to_owned());
            assert_eq!(names.plain(&names.stream(&stream)), Some(stream));
        }
        for digested in ["s".repeat(200), "~".to_owned()] {
            let name = names.stream(&StreamName::from_stored(digested));
            assert!(name.len() <= NAME_BYTES_MAX);
            assert_eq!(names.plain(&name), None);
        }
        assert_eq!(names.plain("keynest:log"), None);
    }

    #[test]
    fn names_with_two_parts_are_listed_by_how_they_begin() {
        let names = Names::new("k");
        let under = |key: &str| names.under(&ClaimKey::from_stored(key.to_owned()));
        assert_eq!(under("device:7:a"), under("device:7:"));
        assert_ne!(under("device:7:a"), under("device:8:a"));
        assert_eq!((under("email:a"), under("email")), (None, None));
    }
}
