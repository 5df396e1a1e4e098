//! Which events may be written while older binaries are at work (docs/decisions/0100): the level of the log.

use std::fmt;
use std::sync::atomic::{AtomicU16, Ordering};

use bytes::Bytes;
use serde_json::Value;

use crate::port::{Append, AppendError, NewEvent};

/// A generation of stored shapes. The log has one, which only rises; a binary has a highest one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FormatLevel(pub u16);

/// From which level on a shape may be written: stored name, version, level.
pub type Since = (&'static str, u16, FormatLevel);
/// Says an event of a version in the shape of the version before: stored name, version, step. `None`: it cannot be said.
pub type Lowering = (&'static str, u16, fn(Value) -> Option<Value>);

/// What a binary can read and write.
#[derive(Debug)]
pub struct Format {
    /// The highest level it knows.
    pub highest: FormatLevel,
    /// Shapes that not every binary can read. What is not here may be written at [`FormatLevel::FIRST`].
    pub since: &'static [Since],
    /// How new versions are said in the old one until the level is raised.
    pub lowered: &'static [Lowering],
}

/// This binary's. Whoever adds a line raises `highest` (docs/ADDING_A_FEATURE.md).
pub static FORMAT: Format = Format { highest: FormatLevel::FIRST, since: &[], lowered: &[] };

/// The level of a log, as far as this process has heard of it: never above the truth.
#[derive(Debug)]
pub(crate) struct Levels {
    pub format: &'static Format,
    current: AtomicU16,
}

impl FormatLevel {
    /// Of everything that was not added later.
    pub const FIRST: Self = Self(1);

    /// As stored. Nothing is below zero or beyond what a binary could know.
    pub(crate) fn from_stored(level: i32) -> Self {
        Self(u16::try_from(level.max(0)).unwrap_or(u16::MAX))
    }
}

impl fmt::Display for FormatLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Format {
    fn since(&self, name: &str, version: u16) -> FormatLevel {
        let found = self.since.iter().find(|(of, at, _)| *of == name && *at == version);
        found.map_or(FormatLevel::FIRST, |(_, _, level)| *level)
    }

    /// The event as it may be written at a level: itself, or an older version of it.
    fn fit(&self, mut event: NewEvent, level: FormatLevel) -> Result<NewEvent, AppendError> {
        let needed = self.since(&event.name, event.version);
        while self.since(&event.name, event.version) > level {
            let Some(lower) = self.lower(&event) else {
                let (name, version) = (event.name.to_string(), event.version);
                return Err(AppendError::LevelTooLow { name, version, needed, level });
            };
            event = lower;
        }
        Ok(event)
    }

    fn lower(&self, event: &NewEvent) -> Option<NewEvent> {
        let is_step = |step: &&Lowering| step.0 == &*event.name && step.1 == event.version;
        let (_, _, step) = self.lowered.iter().find(is_step)?;
        let lower = step(serde_json::from_slice(&event.data).ok()?)?;
        let data = serde_json::to_vec(&lower).ok()?;
        let version = event.version.checked_sub(1)?;
        Some(NewEvent { name: event.name.clone(), version, data: Bytes::from(data) })
    }
}

impl Levels {
    pub fn new(format: &'static Format, level: FormatLevel) -> Self {
        Self { format, current: AtomicU16::new(level.0) }
    }

    pub fn current(&self) -> FormatLevel {
        FormatLevel(self.current.load(Ordering::Acquire))
    }

    /// The level only rises, whoever tells it.
    pub fn heard(&self, level: FormatLevel) {
        self.current.fetch_max(level.0, Ordering::AcqRel);
    }

    /// Whether everything in it may be written as it is.
    pub fn allow(&self, append: &Append) -> bool {
        let level = self.current();
        let mut events = append.streams.iter().flat_map(|part| &part.events);
        events.all(|event| self.format.since(&event.name, event.version) <= level)
    }

    /// The append with every event in a shape that may be written.
    pub fn fit(&self, mut append: Append) -> Result<Append, AppendError> {
        let level = self.current();
        for part in &mut append.streams {
            let events = std::mem::take(&mut part.events).into_iter();
            part.events =
                events.map(|event| self.format.fit(event, level)).collect::<Result<_, _>>()?;
        }
        Ok(append)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_shape_needs_more_than_the_highest_level() {
        for (name, version, level) in FORMAT.since {
            assert!(*level <= FORMAT.highest && *level > FormatLevel::FIRST, "{name} v{version}");
        }
    }

    #[test]
    fn a_new_version_of_what_was_written_before_can_be_said_in_the_old_one() {
        // Or a rolling upgrade would refuse what worked before it.
        for (name, version, _) in FORMAT.since.iter().filter(|(_, version, _)| *version > 1) {
            assert!(FORMAT.lowered.iter().any(|(of, at, _)| of == name && at == version), "{name}");
        }
    }
}
