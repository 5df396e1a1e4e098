//! Defaults, then the file, then the environment; each value remembers where it came from.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::error::ConfigError;
use super::sections::Config;
use super::tree::{Flat, PREFIX, defaults, flatten, nearest, unflatten, variable};
use super::{bounds, sections};

/// Names the file; not a key.
pub const FILE_VARIABLE: &str = "KEYNEST_CONFIG";
/// For the tests' own use; not read here.
const TEST_PREFIX: &str = "KEYNEST_TEST_";
const DATABASE_ALIAS: &str = "DATABASE_URL";
const FILE_NAME: &str = "keynest.toml";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    File(PathBuf),
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
        }
    }
}

/// The configuration and the origin of each of its keys.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Reads the configuration of this process.
    ///
    /// `file`: what `--config` named; else `KEYNEST_CONFIG`; else `keynest.toml` in the data directory or in the current
    /// one, where there is such a file.
    ///
    /// # Errors
    /// When a file cannot be read, or anything in it or in the environment is unknown or out of bounds.
    pub fn from_process(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::read(file, std::env::vars_os())
    }

    pub(super) fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, ConfigError> {
        let defaults = defaults();
        let mut variables = ours(environment)?;
        let named = variables.remove(FILE_VARIABLE).map(PathBuf::from);
        let file =
            file.map(Path::to_path_buf).or(named).or_else(|| find_file(&variables, &defaults));

        let mut values = defaults.clone();
        let mut origins: BTreeMap<String, Origin> =
            defaults.keys().map(|key| (key.clone(), Origin::Default)).collect();
        let from_file =
            file.map(|path| read_file(&path, &defaults)).transpose()?.unwrap_or_default();
        let from_environment = read_variables(variables, &defaults)?;
        for (key, value, origin) in from_file.into_iter().chain(from_environment) {
            if let Some(expected) = bounds::problem(&key, &value, &defaults[&key]) {
                return Err(ConfigError::Value { key, origin: origin.to_string(), expected });
            }
            values.insert(key.clone(), value);
            origins.insert(key, origin);
        }
        let config = typed(&values, &defaults, &origins)?;
        bounds::check_together(&config)?;
        Ok(Self { config, origins })
    }
}

type Found = Vec<(String, Value, Origin)>;

fn ours(
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> Result<BTreeMap<String, String>, ConfigError> {
    let named = environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
    named
        .filter(|(name, _)| {
            (name.starts_with(PREFIX) && !name.starts_with(TEST_PREFIX)) || name == DATABASE_ALIAS
        })
        .map(|(name, value)| match value.into_string() {
            Ok(value) => Ok((name, value)),
            Err(_) => Err(ConfigError::VariableNotUtf8 { name }),
        })
        .collect()
}

fn find_file(variables: &BTreeMap<String, String>, defaults: &Flat) -> Option<PathBuf> {
    let set = variables.get(&variable("data_dir")).map(String::as_str);
    let data_dir = set.or_else(|| defaults["data_dir"].as_str()).unwrap_or(".");
    [Path::new(data_dir).join(FILE_NAME), PathBuf::from(FILE_NAME)]
        .into_iter()
        .find(|path| path.exists())
}

fn read_file(path: &Path, defaults: &Flat) -> Result<Found, ConfigError> {
    let failed = |source: io::Error| ConfigError::Read { path: path.into(), source };
    let text = fs::read_to_string(path).map_err(failed)?;
    let table: Table = toml::from_str(&text).map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError::Syntax { path: path.into(), line: before.matches('\n').count() + 1 }
    })?;
    let unknown = |key: String| {
        let nearest = nearest(&key, defaults.keys().map(String::as_str));
        ConfigError::UnknownKey { key, path: path.into(), nearest }
    };
    let sections: Vec<&str> =
        defaults.keys().filter_map(|key| key.split_once('.').map(|(section, _)| section)).collect();
    for (name, value) in &table {
        let is_section = sections.contains(&name.as_str());
        if is_section && !value.is_table() {
            let origin = Origin::File(path.into()).to_string();
            return Err(ConfigError::Value {
                key: name.clone(),
                origin,
                expected: "expected a section".into(),
            });
        }
        if !is_section && value.is_table() {
            return Err(unknown(name.clone()));
        }
    }
    flatten(&table)
        .into_iter()
        .map(|(key, value)| {
            if defaults.contains_key(&key) {
                Ok((key, value, Origin::File(path.into())))
            } else {
                Err(unknown(key))
            }
        })
        .collect()
}

fn read_variables(
    mut variables: BTreeMap<String, String>,
    defaults: &Flat,
) -> Result<Found, ConfigError> {
    let mut found = Found::new();
    // First, so that the name of our own wins.
    if let Some(url) = variables.remove(DATABASE_ALIAS) {
        found.push((
            "database.url".into(),
            Value::String(url),
            Origin::Variable(DATABASE_ALIAS.into()),
        ));
    }
    for (key, default) in defaults {
        let name = variable(key);
        let Some(text) = variables.remove(&name) else { continue };
        let Some(value) = parse(&text, default) else {
            let expected = format!("expected {}", bounds::described(default));
            return Err(ConfigError::Value {
                key: key.clone(),
                origin: Origin::Variable(name).to_string(),
                expected,
            });
        };
        found.push((key.clone(), value, Origin::Variable(name)));
    }
    match variables.into_keys().next() {
        None => Ok(found),
        Some(name) => {
            let known: Vec<String> = defaults
                .keys()
                .map(|key| variable(key))
                .chain([FILE_VARIABLE.to_owned()])
                .collect();
            let nearest = nearest(&name, known.iter().map(String::as_str));
            Err(ConfigError::UnknownVariable { name, nearest })
        }
    }
}

/// A variable's text as the type that its key has; a list is separated by commas.
fn parse(text: &str, default: &Value) -> Option<Value> {
    match default {
        Value::String(_) => Some(Value::String(text.to_owned())),
        Value::Integer(_) => text.trim().parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.trim().parse().ok().map(Value::Boolean),
        Value::Array(_) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.to_owned())).collect()))
        }
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// All values are of the right type by now; what is left is text that stands for something stricter. When the whole does
/// not fit, each changed value is tried alone, to name the one that is to blame.
fn typed(
    values: &Flat,
    defaults: &Flat,
    origins: &BTreeMap<String, Origin>,
) -> Result<Config, ConfigError> {
    let whole = match fit::<Config>(unflatten(values.clone())) {
        Ok(config) => return Ok(config),
        Err(expected) => expected,
    };
    for (key, value) in values {
        let mut alone = defaults.clone();
        alone.insert(key.clone(), value.clone());
        if let Err(expected) = fit::<sections::Config>(unflatten(alone)) {
            return Err(ConfigError::Value {
                key: key.clone(),
                origin: origins[key].to_string(),
                expected,
            });
        }
    }
    Err(ConfigError::Value {
        key: "configuration".into(),
        origin: "together".into(),
        expected: whole,
    })
}

fn fit<T: DeserializeOwned>(table: Table) -> Result<T, String> {
    table.try_into().map_err(|error| error.message().to_owned())
}
