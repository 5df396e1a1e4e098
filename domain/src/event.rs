//! The catalogue of events: stored names and versions, decoupled from Rust names (DESIGN 4).

use serde::{Deserializer, Serialize, Serializer};

/// Declares the events of one aggregate: an enum with a variant per event, its stored name and version.
macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident = $name:literal v $version:literal),+ $(,)?) => {
        /// The facts of this aggregate's stream.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event {
            $($(#[$doc])* $variant($variant)),+
        }

        impl Event {
            /// Stored names with their current versions.
            pub const CATALOGUE: &'static [(&'static str, u16)] = &[$(($name, $version)),+];

            /// The stored name.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name),+ }
            }

            /// The version of the stored shape.
            pub fn version(&self) -> u16 {
                match self { $(Self::$variant(_) => $version),+ }
            }

            /// Writes the payload without its name.
            pub(crate) fn serialize_payload<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(event) => serde::Serialize::serialize(event, to)),+ }
            }

            /// Reads a payload of the current version; `None` for a name that is not in the catalogue.
            pub(crate) fn deserialize_payload<'de, D: serde::Deserializer<'de>>(
                name: &str, from: D,
            ) -> Option<Result<Self, D::Error>> {
                match name {
                    $($name => Some(serde::Deserialize::deserialize(from).map(Self::$variant)),)+
                    _ => None,
                }
            }
        }

        $(impl From<$variant> for Event {
            fn from(event: $variant) -> Self { Self::$variant(event) }
        })+
        $(impl From<$variant> for crate::Event {
            fn from(event: $variant) -> Self { Event::$variant(event).into() }
        })+
    };
}
pub(crate) use events;

macro_rules! all_events {
    ($($variant:ident = $module:ident),+ $(,)?) => {
        /// Any event of the log.
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each variant is the aggregate of that name")]
        pub enum Event {
            $($variant(crate::$module::Event)),+
        }

        impl Event {
            /// Stored names with their current versions, of all aggregates.
            pub fn catalogue() -> impl Iterator<Item = (&'static str, u16)> {
                [$(crate::$module::Event::CATALOGUE),+].into_iter().flatten().copied()
            }

            /// The stored name, such as `organization.invitation_sent`.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(event) => event.name()),+ }
            }

            /// The version of the stored shape.
            pub fn version(&self) -> u16 {
                match self { $(Self::$variant(event) => event.version()),+ }
            }

            /// Reads a payload of the current version; `None` for an unknown name.
            pub fn deserialize_payload<'de, D: Deserializer<'de>>(
                name: &str, from: D,
            ) -> Option<Result<Self, D::Error>> {
                $(if crate::$module::Event::CATALOGUE.iter().any(|(known, _)| *known == name) {
                    return crate::$module::Event::deserialize_payload(name, from)
                        .map(|read| read.map(Self::$variant));
                })+
                None
            }
        }

        /// Writes the payload without its name.
        impl Serialize for Event {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                match self { $(Self::$variant(event) => event.serialize_payload(to)),+ }
            }
        }

        $(impl From<crate::$module::Event> for Event {
            fn from(event: crate::$module::Event) -> Self { Self::$variant(event) }
        }
        impl TryFrom<Event> for crate::$module::Event {
            type Error = Event;
            fn try_from(event: Event) -> Result<Self, Event> {
                match event { Event::$variant(event) => Ok(event), other => Err(other) }
            }
        })+
    };
}

all_events! {
    User = user,
    Session = session,
    Login = login,
    Federation = federation,
    Challenge = challenge,
    Organization = organization,
    Project = project,
    Environment = environment,
    Access = access,
    Refusals = refusals,
    Key = key,
    Limits = limits,
    Provider = provider,
    Exchange = exchange,
}
