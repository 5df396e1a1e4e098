//! Identity providers that an administrator of the instance set up. All of them are on one stream, which every process
//! follows, so its revision keeps names unique and the number bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::limits::Instance;
use crate::{Aggregate, ProviderId, ProviderName, Sealed, Timestamp};

/// Providers that administrators set up, at most.
pub const PROVIDERS_MAX: usize = 50;
/// Characters of what a button says, at most.
pub const TITLE_CHARS_MAX: usize = 100;
/// Bytes of an issuer's address, at most.
pub const ISSUER_BYTES_MAX: usize = 500;
/// Bytes of a client id, at most.
pub const CLIENT_ID_BYTES_MAX: usize = 255;
/// Bytes of a client secret, at most.
pub const CLIENT_SECRET_BYTES_MAX: usize = 1_024;
/// Scopes of one provider, at most.
pub const SCOPES_MAX: usize = 20;
/// Bytes of one scope, at most.
pub const SCOPE_BYTES_MAX: usize = 100;
/// Further origins of one provider, at most.
pub const ORIGINS_MAX: usize = 10;
/// Asked for where a provider is set up without a list of its own.
pub const SCOPES_USUAL: [&str; 3] = ["openid", "email", "profile"];

events! {
    /// An administrator set up a provider: whoever signs in there may come.
    ProviderAdded = "provider.added" v 1,
    /// An administrator changed what may change of it.
    ProviderChanged = "provider.changed" v 1,
    /// An administrator took it away: nobody comes from there any more.
    ProviderRemoved = "provider.removed" v 1,
}

/// See [`Event::ProviderAdded`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProviderAdded {
    pub provider: ProviderId,
    /// Its place in addresses.
    pub name: ProviderName,
    /// Never changes: identities belong to it.
    pub issuer: String,
    /// What a button says.
    pub title: String,
    pub client_id: String,
    pub client_secret: Sealed,
    pub scopes: Vec<String>,
    /// Hosts besides the issuer's that its own document may name.
    pub origins: Vec<String>,
    pub at: Timestamp,
}

/// See [`Event::ProviderChanged`]. What is absent is as before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProviderChanged {
    pub provider: ProviderId,
    pub title: Option<String>,
    pub client_id: Option<String>,
    pub client_secret: Option<Sealed>,
    pub scopes: Option<Vec<String>>,
    pub origins: Option<Vec<String>>,
    pub at: Timestamp,
}

/// See [`Event::ProviderRemoved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ProviderRemoved {
    pub provider: ProviderId,
    pub name: ProviderName,
    pub at: Timestamp,
}

/// What the rules of providers refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is one.
    #[error("a provider of this name exists")]
    NameTaken,
    /// There are as many as there may be.
    #[error("there are {PROVIDERS_MAX} providers")]
    TooMany,
    /// No such provider, or not any more.
    #[error("there is no such provider")]
    Absent,
    /// People sign in by it, and whoever removes it did not say that they know.
    #[error("people sign in by this provider")]
    InUse {
        /// How many accounts do.
        accounts: u32,
    },
}

/// A provider that is set up now.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Provider {
    pub id: ProviderId,
    pub issuer: String,
    pub title: String,
    pub client_id: String,
    pub client_secret: Sealed,
    /// The event that sealed the secret, a part of its context.
    pub secret_sealed_by: &'static str,
    pub scopes: Vec<String>,
    pub origins: Vec<String>,
    pub added_at: Timestamp,
    pub changed_at: Timestamp,
}

/// All that are set up now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Providers(BTreeMap<ProviderName, Provider>);

impl Aggregate for Providers {
    type Id = Instance;
    type Event = Event;
    const CATEGORY: &'static str = "providers";

    fn evolve(mut self, event: &Event) -> Self {
        let name = event.name();
        match event {
            Event::ProviderAdded(it) => {
                self.0.insert(it.name.clone(), Provider::added(it, name));
            }
            Event::ProviderChanged(it) => {
                let known = self.0.values_mut().find(|known| known.id == it.provider);
                known.into_iter().for_each(|known| known.change(it, name));
            }
            Event::ProviderRemoved(it) => self.0.retain(|_, known| known.id != it.provider),
        }
        self
    }
}

impl Providers {
    /// One by its name.
    pub fn get(&self, name: &ProviderName) -> Option<&Provider> {
        self.0.get(name)
    }

    /// All, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ProviderName, &Provider)> {
        self.0.iter()
    }

    /// Refuses what was proved by a provider that is not there any more, or that another has taken the name of.
    pub fn require(&self, name: &ProviderName, id: ProviderId) -> Result<(), Rejection> {
        let known = self.0.get(name).filter(|known| known.id == id);
        known.map(drop).ok_or(Rejection::Absent)
    }
}

impl Provider {
    fn added(it: &ProviderAdded, by: &'static str) -> Self {
        Self {
            id: it.provider,
            issuer: it.issuer.clone(),
            title: it.title.clone(),
            client_id: it.client_id.clone(),
            client_secret: it.client_secret.clone(),
            secret_sealed_by: by,
            scopes: it.scopes.clone(),
            origins: it.origins.clone(),
            added_at: it.at,
            changed_at: it.at,
        }
    }

    fn change(&mut self, it: &ProviderChanged, by: &'static str) {
        fn set<T: Clone>(known: &mut T, wanted: Option<&T>) {
            wanted.into_iter().for_each(|wanted| known.clone_from(wanted));
        }
        set(&mut self.title, it.title.as_ref());
        set(&mut self.client_id, it.client_id.as_ref());
        set(&mut self.scopes, it.scopes.as_ref());
        set(&mut self.origins, it.origins.as_ref());
        if let Some(sealed) = &it.client_secret {
            self.client_secret = sealed.clone();
            self.secret_sealed_by = by;
        }
        self.changed_at = it.at;
    }
}

/// Sets one up.
pub fn add(state: &Providers, wish: ProviderAdded) -> Result<Vec<Event>, Rejection> {
    if state.0.contains_key(&wish.name) {
        return Err(Rejection::NameTaken);
    }
    if state.0.len() >= PROVIDERS_MAX {
        return Err(Rejection::TooMany);
    }
    Ok(vec![wish.into()])
}

/// Changes one; what is so already is left out. A secret is always another one.
pub fn change(
    state: &Providers,
    name: &ProviderName,
    mut wish: ProviderChanged,
) -> Result<Vec<Event>, Rejection> {
    state.require(name, wish.provider)?;
    let known = state.0.get(name).ok_or(Rejection::Absent)?;
    wish.title = wish.title.filter(|it| *it != known.title);
    wish.client_id = wish.client_id.filter(|it| *it != known.client_id);
    wish.scopes = wish.scopes.filter(|it| *it != known.scopes);
    wish.origins = wish.origins.filter(|it| *it != known.origins);
    let is_same = wish.title.is_none()
        && wish.client_id.is_none()
        && wish.client_secret.is_none()
        && wish.scopes.is_none()
        && wish.origins.is_none();
    Ok(if is_same { Vec::new() } else { vec![wish.into()] })
}

/// Takes one away. While people sign in by it, only for somebody who knows that they do.
pub fn remove(
    state: &Providers,
    name: &ProviderName,
    accounts: u32,
    is_known: bool,
    at: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let known = state.0.get(name).ok_or(Rejection::Absent)?;
    if accounts > 0 && !is_known {
        return Err(Rejection::InUse { accounts });
    }
    Ok(vec![ProviderRemoved { provider: known.id, name: name.clone(), at }.into()])
}

#[cfg(test)]
mod tests;
