//! An environment and its variables: unique keys, sealed values, numbered versions.

pub mod change_variable;
pub mod create_variable;
pub mod delete_variable;
#[cfg(test)]
mod given;
pub mod import_variables;
mod lifecycle;

use rpds::RedBlackTreeMapSync;
use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{
    Aggregate, EnvironmentId, OrganizationId, ProjectId, Sealed, UserId, VariableId, VariableKey,
};

pub use lifecycle::{create, delete, require_parent, update};

/// Longest value, in bytes (DESIGN 11).
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Keys in one import at most (CONTRACT 4.3).
pub const IMPORT_KEYS_MAX: usize = 1_000;

events! {
    /// An environment was made in a project that it never leaves.
    EnvironmentCreated = "environment.created" v 1,
    /// Name, type and description from now on.
    EnvironmentUpdated = "environment.updated" v 1,
    /// The environment, and with it all its variables, is unreachable for ever.
    EnvironmentDeleted = "environment.deleted" v 1,
    /// A key with its first value.
    VariableCreated = "environment.variable_created" v 1,
    /// Another value, with the next version number.
    VariableChanged = "environment.variable_changed" v 1,
    /// Another key, the same value.
    VariableRenamed = "environment.variable_renamed" v 1,
    /// The key is free again; the id never is.
    VariableDeleted = "environment.variable_deleted" v 1,
    /// The summary of an import, in front of one event per key in the same append.
    VariablesImported = "environment.variables_imported" v 1,
}

/// See [`Event::EnvironmentCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EnvironmentCreated {
    pub environment: EnvironmentId,
    pub project: ProjectId,
    pub organization: OrganizationId,
    pub name: Sealed,
    pub environment_type: EnvironmentType,
    pub description: Option<Sealed>,
    pub creator: UserId,
}

/// See [`Event::EnvironmentUpdated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EnvironmentUpdated {
    pub name: Sealed,
    pub environment_type: EnvironmentType,
    pub description: Option<Sealed>,
}

/// See [`Event::EnvironmentDeleted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvironmentDeleted {}

/// See [`Event::VariableCreated`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariableCreated {
    pub variable: VariableId,
    pub key: VariableKey,
    pub value: Sealed,
    pub creator: UserId,
}

/// See [`Event::VariableChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariableChanged {
    pub variable: VariableId,
    pub value: Sealed,
    pub version: u32,
}

/// See [`Event::VariableRenamed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariableRenamed {
    pub variable: VariableId,
    pub from: VariableKey,
    pub to: VariableKey,
}

/// See [`Event::VariableDeleted`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariableDeleted {
    pub variable: VariableId,
    pub key: VariableKey,
}

/// See [`Event::VariablesImported`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct VariablesImported {
    pub format: FileFormat,
    pub created: u32,
    pub changed: u32,
    pub overwrite: bool,
}

/// What an environment is for (R14).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EnvironmentType {
    #[default]
    Development,
    Staging,
    Production,
    Testing,
}

/// The shape of an exported or imported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum FileFormat {
    Env,
    Json,
    Yaml,
}

/// What an environment's rules refuse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Names are unique in a project.
    #[error("an environment with this name already exists in this project")]
    NameTaken,
    /// Neither an environment nor a variable ever leaves its parent.
    #[error("an object cannot be moved to another parent")]
    ParentIsFixed,
    /// Keys are unique in an environment.
    #[error("a variable with this key already exists in this environment")]
    KeyTaken,
    /// No such variable, or not any more.
    #[error("there is no such variable")]
    VariableAbsent,
    /// An import names keys that exist, and was not told to overwrite.
    #[error("{} of the keys already exist", .0.len())]
    KeysExist(Vec<VariableKey>),
    /// An import names the same key twice.
    #[error("the key {0} appears more than once")]
    KeyRepeated(VariableKey),
    /// An import without any key.
    #[error("no variables were found")]
    ImportEmpty,
    /// More keys than one import may have.
    #[error("an import has at most {IMPORT_KEYS_MAX} variables")]
    ImportTooLarge,
}

/// A living variable, as far as rules read it.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Variable {
    pub key: VariableKey,
    pub version: u32,
}

/// The state that rules read. Its maps share what two states have in common: the next one is made for every command, and
/// there may be thousands of variables.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Environment {
    pub id: Option<EnvironmentId>,
    pub project: Option<ProjectId>,
    pub organization: Option<OrganizationId>,
    pub name: Option<Sealed>,
    pub description: Option<Sealed>,
    /// The event that sealed name and description, a part of their context.
    pub sealed_by: Option<&'static str>,
    pub environment_type: EnvironmentType,
    pub is_deleted: bool,
    pub variables: RedBlackTreeMapSync<VariableId, Variable>,
    pub keys: RedBlackTreeMapSync<VariableKey, VariableId>,
}

impl Aggregate for Environment {
    type Id = EnvironmentId;
    type Event = Event;
    const CATEGORY: &'static str = "environment";

    fn evolve(mut self, event: &Event) -> Self {
        let event_name = event.name();
        match event {
            Event::EnvironmentCreated(it) => {
                self.id = Some(it.environment);
                self.project = Some(it.project);
                self.organization = Some(it.organization);
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.environment_type = it.environment_type;
                self.sealed_by = Some(event_name);
            }
            Event::EnvironmentUpdated(it) => {
                self.name = Some(it.name.clone());
                self.description.clone_from(&it.description);
                self.environment_type = it.environment_type;
                self.sealed_by = Some(event_name);
            }
            Event::EnvironmentDeleted(_) => self.is_deleted = true,
            Event::VariableCreated(it) => {
                self.keys.insert_mut(it.key.clone(), it.variable);
                self.variables
                    .insert_mut(it.variable, Variable { key: it.key.clone(), version: 1 });
            }
            Event::VariableChanged(it) => {
                if let Some(variable) = self.variables.get_mut(&it.variable) {
                    variable.version = it.version;
                }
            }
            Event::VariableRenamed(it) => {
                self.keys.remove_mut(&it.from);
                self.keys.insert_mut(it.to.clone(), it.variable);
                if let Some(variable) = self.variables.get_mut(&it.variable) {
                    variable.key = it.to.clone();
                }
            }
            Event::VariableDeleted(it) => {
                self.keys.remove_mut(&it.key);
                self.variables.remove_mut(&it.variable);
            }
            Event::VariablesImported(_) => {}
        }
        self
    }
}

impl Environment {
    /// Whether it was created and not deleted.
    pub fn is_alive(&self) -> bool {
        self.id.is_some() && !self.is_deleted
    }

    /// The version number of a living variable's next value.
    pub fn next_version(&self, variable: VariableId) -> Option<u32> {
        self.variables.get(&variable).map(|known| known.version + 1)
    }
}

impl EnvironmentType {
    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Testing => "testing",
        }
    }

    /// Reads a name; exactly one of the four.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Development, Self::Staging, Self::Production, Self::Testing]
            .into_iter()
            .find(|known| known.name() == text)
    }
}

impl FileFormat {
    /// The name in requests and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Json => "json",
            Self::Yaml => "yaml",
        }
    }
}
