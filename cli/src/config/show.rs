//! The effective configuration as text: a file that could be loaded again, but for the secrets.

use std::collections::BTreeMap;
use std::fmt::Write;

use toml::{Table, Value};

use super::load::Loaded;
use super::sections::Config;
use super::tree::{flatten, variable};

impl Loaded {
    /// TOML with secrets masked; a comment at each key says where its value came from.
    #[must_use]
    pub fn show(&self) -> String {
        // Secrets mask themselves when they are serialised.
        let table = Table::try_from(&self.config)
            .expect("the configuration is plain data; a test shows one");
        let mut text = String::new();
        let mut section = "";
        let flat = flatten(&table);
        // Keys outside of a section first: TOML would count them to the section above.
        let (sectioned, top): (Vec<_>, Vec<_>) =
            flat.iter().partition(|(key, _)| key.contains('.'));
        for (key, value) in top.into_iter().chain(sectioned) {
            let (of, name) = key.split_once('.').unwrap_or(("", key));
            if of != section {
                section = of;
                let _ = write!(text, "\n[{section}]\n");
            }
            let _ = writeln!(text, "{}  # {}", line(name, value), self.comment(key));
        }
        text
    }

    fn comment(&self, key: &str) -> String {
        let origin = self.origins.get(key).map(ToString::to_string).unwrap_or_default();
        format!("{origin}; {}", variable(key))
    }
}

impl Config {
    /// Every value as text, by its key; secrets masked.
    #[must_use]
    pub fn masked(&self) -> BTreeMap<String, String> {
        let table =
            Table::try_from(self).expect("the configuration is plain data; a test shows one");
        flatten(&table).into_iter().map(|(key, value)| (key, value.to_string())).collect()
    }
}

fn line(name: &str, value: &Value) -> String {
    format!("{name} = {value}")
}
