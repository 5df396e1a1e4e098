//! Which events of the log somebody asks for.

use keynest_domain::{Event, OrganizationId, UserId};

use crate::port::{Recorded, STREAM_NAME_BYTES_MAX};

/// Names in one list at most.
const NAMES_MAX: usize = 50;

/// What is asked for; whatever is empty asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Any of these events.
    pub types: Vec<NamePattern>,
    /// In any of these streams.
    pub streams: Vec<NamePattern>,
    /// Caused by this person or service.
    pub actor: Option<UserId>,
    /// Of this organization in the audit log.
    pub organization: Option<OrganizationId>,
}

/// A name, or how names begin: `project.created`, `project.*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamePattern {
    /// This one.
    Whole(String),
    /// All that begin like this.
    Beginning(String),
}

impl EventFilter {
    /// Whether an event is one of those that are asked for.
    pub fn takes(&self, recorded: &Recorded) -> bool {
        let fits = |all: &[NamePattern], name: &str| {
            all.is_empty() || all.iter().any(|pattern| pattern.fits(name))
        };
        fits(&self.types, &recorded.name)
            && fits(&self.streams, recorded.stream.as_str())
            && self.actor.is_none_or(|it| recorded.metadata.actor == Some(it))
            && self.organization.is_none_or(|it| recorded.metadata.organization == Some(it))
    }
}

impl NamePattern {
    /// Names of events with commas between them; `None` if one of them fits no event, or there are too many.
    pub fn types(text: &str) -> Option<Vec<Self>> {
        let is_known = |it: &Self| Event::catalogue().any(|(name, _)| it.fits(name));
        list(text).filter(|all| all.iter().all(is_known))
    }

    /// Names of streams with commas between them; `None` if one of them is none, or there are too many.
    pub fn streams(text: &str) -> Option<Vec<Self>> {
        list(text)
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Whole(whole) => whole == name,
            Self::Beginning(beginning) => name.starts_with(beginning.as_str()),
        }
    }
}

fn list(text: &str) -> Option<Vec<NamePattern>> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    let is_name = |name: &&str| !name.is_empty() && name.len() <= STREAM_NAME_BYTES_MAX;
    (names.len() <= NAMES_MAX && names.iter().all(is_name)).then(|| {
        let pattern = |name: &&str| match name.strip_suffix('*') {
            Some(beginning) => NamePattern::Beginning(beginning.to_owned()),
            None => NamePattern::Whole((*name).to_owned()),
        };
        names.iter().map(pattern).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_beginnings_are_told_apart_and_nonsense_is_refused() {
        let all = NamePattern::types("project.created, organization.*").unwrap();
        let fits = |name: &str| all.iter().any(|it| it.fits(name));
        assert!(fits("project.created") && fits("organization.updated"));
        assert!(!fits("project.deleted") && !fits("organization"));
        for bad in ["", "project.created,", "nobody.*", "project.creat"] {
            assert_eq!(NamePattern::types(bad), None, "{bad}");
        }
        let many = |count: usize| vec!["x-1"; count].join(",");
        assert!(NamePattern::streams(&many(NAMES_MAX)).is_some());
        for bad in [many(NAMES_MAX + 1), "x".repeat(STREAM_NAME_BYTES_MAX + 1), "a,,b".into()] {
            assert_eq!(NamePattern::streams(&bad), None, "{bad}");
        }
    }
}
