//! Who or what a data key belongs to.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{EnvironmentId, Invalid, InvitationId, OrganizationId, UserId};

/// The one instance, behind the colon.
const THE_INSTANCE: &str = "keynest";

/// Who or what a data key belongs to; destroying that key erases everything sealed under it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A person's data.
    User(UserId),
    /// An organization's names, descriptions and comments.
    Organization(OrganizationId),
    /// The values of an environment.
    Environment(EnvironmentId),
    /// The address of an invitation.
    Invitation(InvitationId),
    /// Addresses and agents of anonymous callers; days since 1970-01-01 UTC.
    Day(u32),
    /// The address of a person who was erased, until the last mail is sent.
    Farewell(UserId),
    /// Secrets of the instance itself, such as what it is at an identity provider. Never destroyed.
    Instance,
}

impl Subject {
    /// The kind, as in front of the colon.
    pub fn kind(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Organization(_) => "organization",
            Self::Environment(_) => "environment",
            Self::Invitation(_) => "invitation",
            Self::Day(_) => "day",
            Self::Farewell(_) => "farewell",
            Self::Instance => "instance",
        }
    }
}

/// The name of the subject's key in the key table: kind and id, `user:123`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind())?;
        match self {
            Self::User(id) => id.fmt(f),
            Self::Organization(id) => id.fmt(f),
            Self::Environment(id) => id.fmt(f),
            Self::Invitation(id) => id.fmt(f),
            Self::Day(day) => day.fmt(f),
            Self::Farewell(id) => id.fmt(f),
            Self::Instance => f.write_str(THE_INSTANCE),
        }
    }
}

impl FromStr for Subject {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let (kind, id) = text.split_once(':').unwrap_or((text, ""));
        let parsed = match kind {
            "user" => id.parse().ok().map(Self::User),
            "organization" => id.parse().ok().map(Self::Organization),
            "environment" => id.parse().ok().map(Self::Environment),
            "invitation" => id.parse().ok().map(Self::Invitation),
            "day" => id.parse().ok().map(Self::Day),
            "farewell" => id.parse().ok().map(Self::Farewell),
            "instance" => (id == THE_INSTANCE).then_some(Self::Instance),
            _ => None,
        };
        parsed.ok_or_else(|| Invalid::new("invalid", "This names no data key."))
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subject_is_read_as_it_is_written() {
        let invitation = InvitationId::new(uuid::Uuid::from_u128(7));
        for subject in [
            Subject::User(UserId::new(1)),
            Subject::Organization(OrganizationId::new(2)),
            Subject::Environment(EnvironmentId::new(3)),
            Subject::Invitation(invitation),
            Subject::Day(20_000),
            Subject::Farewell(UserId::new(1)),
            Subject::Instance,
        ] {
            assert_eq!(subject.to_string().parse::<Subject>().unwrap(), subject);
        }
        for wrong in ["", "user", "user:", "user:x", "root_check", "signing", "day:-1", "instance:"]
        {
            assert!(wrong.parse::<Subject>().is_err(), "{wrong}");
        }
    }
}
