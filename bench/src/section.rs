//! What a section of the bench found: tables for people, the samples for whoever wants to look closer.

use std::fmt;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::plot::Plot;
use crate::table::Table;
use crate::target::{self, Target};

/// The result of one section.
pub struct Section {
    /// Names the file of its samples.
    pub name: &'static str,
    /// What was measured, in a sentence.
    pub title: String,
    pub tables: Vec<Table>,
    pub targets: Vec<Target>,
    pub plots: Vec<Plot>,
    /// Every sample, raw.
    pub samples: Value,
}

impl Section {
    pub fn new(name: &'static str, title: impl Into<String>) -> Self {
        let (tables, targets, plots) = Default::default();
        Self { name, title: title.into(), tables, targets, plots, samples: Value::Null }
    }

    /// Writes the samples, with what they were measured on.
    pub fn write(&self, folder: &Path, environment: &Environment) -> anyhow::Result<()> {
        let told = json!({
            "section": self.name, "title": self.title, "environment": environment.to_json(),
            "tables": self.tables.iter().map(Table::to_json).collect::<Vec<_>>(),
            "targets": self.targets.iter().map(Target::to_json).collect::<Vec<_>>(),
            "samples": self.samples,
        });
        std::fs::create_dir_all(folder).context("make the folder for samples")?;
        let path = folder.join(format!("{}.json", self.name));
        std::fs::write(&path, serde_json::to_vec(&told)?).context("write the samples")
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "## {}\n\n{}", self.name, self.title)?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))?;
        if !self.targets.is_empty() {
            write!(f, "\n{}", target::table(&self.targets))?;
        }
        Ok(())
    }
}
