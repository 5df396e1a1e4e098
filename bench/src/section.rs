//! What a section of the bench found: a table for people, the samples for whoever wants to look closer.

use std::fmt;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::table::Table;

/// The result of one section.
pub struct Section {
    /// Names the file of its samples.
    pub name: &'static str,
    /// What was measured, in a sentence.
    pub title: String,
    pub table: Table,
    /// Every sample, raw.
    pub samples: Value,
}

impl Section {
    /// Writes the samples, with what they were measured on.
    pub fn write(&self, folder: &Path, environment: &Environment) -> anyhow::Result<()> {
        let told = json!({
            "section": self.name, "title": self.title, "environment": environment.to_json(),
            "table": self.table.to_json(), "samples": self.samples,
        });
        std::fs::create_dir_all(folder).context("make the folder for samples")?;
        let path = folder.join(format!("{}.json", self.name));
        std::fs::write(&path, serde_json::to_vec(&told)?).context("write the samples")
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n{}", self.title, self.table)
    }
}
