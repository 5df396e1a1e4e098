//! The providers of this process: those that are configured, and those that administrators set up, which it learns of
//! from the log while it runs. A configured one wins over another of the same name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use keynest_commands::federation::ConfiguredIssuers;
use keynest_commands::{CommandError, Commands};
use keynest_domain::provider::Provider as Managed;
use keynest_domain::{ProviderName, Timestamp};
use keynest_store::{Position, Subscription};
use secrecy::SecretString;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::OAuthError;
use super::provider::Provider;
use super::settings::{OAuthSettings, ProviderKind, ProviderSettings};
use crate::outgoing::Outgoing;

/// Names that have a place in the configuration and in the routes of the contract.
const RESERVED: [&str; 2] = ["google", "github"];
/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;
/// Pause after the log could not be read.
const RETRY_PAUSE: Duration = Duration::from_millis(200);
/// How long an answer waits until a change is known here.
const KNOWN_WAIT: Duration = Duration::from_secs(2);

/// All that are switched on. Clones share them.
#[derive(Clone, Default)]
pub struct Providers(Arc<Shared>);

#[derive(Default)]
struct Shared {
    outgoing: Option<Outgoing>,
    configured: BTreeMap<ProviderName, Arc<Provider>>,
    /// Also those that are configured badly: their names are nobody else's.
    taken: BTreeSet<ProviderName>,
    managed: RwLock<BTreeMap<ProviderName, Arc<Provider>>>,
    /// Up to where the log was followed.
    applied: watch::Sender<Position>,
}

impl Providers {
    /// Those that are configured well; each of the others is switched off, and the log says why.
    pub fn new(settings: &OAuthSettings, outgoing: Option<&Outgoing>) -> Self {
        let taken = settings.providers.iter().map(|it| it.name.clone()).collect();
        let mut configured = BTreeMap::new();
        if outgoing.is_none() && !settings.providers.is_empty() {
            tracing::warn!("sign-in with other providers is off: there is no outgoing HTTP");
        }
        for wanted in &settings.providers {
            let Some(outgoing) = outgoing else { break };
            let name = wanted.name.clone();
            match Provider::new(wanted.clone(), None, outgoing) {
                Ok(provider) => drop(configured.insert(name, Arc::new(provider))),
                Err(error) => {
                    tracing::warn!(provider = %name, %error, "the provider is switched off");
                }
            }
        }
        let outgoing = outgoing.cloned();
        Self(Arc::new(Shared { outgoing, configured, taken, ..Shared::default() }))
    }

    /// A provider that is switched on.
    pub fn find(&self, name: &str) -> Option<Arc<Provider>> {
        let name = ProviderName::parse(name).ok()?;
        match self.is_taken(&name) {
            true => self.0.configured.get(&name).cloned(),
            false => self.managed(&name),
        }
    }

    /// All that are switched on, by name.
    pub fn list(&self) -> Vec<Arc<Provider>> {
        let managed = self.0.managed.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: BTreeMap<_, _> =
            managed.iter().filter(|(name, _)| !self.is_taken(name)).collect();
        all.extend(&self.0.configured);
        all.into_values().cloned().collect()
    }

    /// Those of the configuration, by name.
    pub fn configured(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.0.configured.values()
    }

    /// The issuers of those of the configuration.
    pub fn configured_issuers(&self) -> ConfiguredIssuers {
        let issuer = |(name, provider): (&ProviderName, &Arc<Provider>)| {
            (name.clone(), provider.issuer().to_owned())
        };
        self.0.configured.iter().map(issuer).collect()
    }

    /// Whether a name is the configuration's.
    pub fn is_taken(&self, name: &ProviderName) -> bool {
        RESERVED.contains(&name.as_str()) || self.0.taken.contains(name)
    }

    /// A provider that is not set up yet, to be asked who it is.
    pub fn candidate(&self, settings: ProviderSettings) -> Result<Provider, OAuthError> {
        let off = || OAuthError::Configuration("there is no outgoing HTTP".to_owned());
        Provider::new(settings, None, self.0.outgoing.as_ref().ok_or_else(off)?)
    }

    /// Reads what administrators set up, and follows the log until told to stop.
    pub async fn follow(
        &self,
        commands: &Commands,
        stop: CancellationToken,
    ) -> Result<(), CommandError> {
        let head = commands.store().head().await?;
        let feed = commands.store().subscribe(head);
        self.refresh(commands).await?;
        self.0.applied.send_replace(head);
        let (providers, commands) = (self.clone(), commands.clone());
        tokio::spawn(async move {
            stop.run_until_cancelled(providers.follow_feed(&commands, feed)).await;
        });
        Ok(())
    }

    /// Waits until everything up to a position is known here.
    pub async fn wait_for(&self, position: Option<Position>) {
        let Some(position) = position else { return };
        let mut applied = self.0.applied.subscribe();
        let known = applied.wait_for(|applied| *applied >= position);
        if tokio::time::timeout(KNOWN_WAIT, known).await.is_err() {
            tracing::warn!("a changed provider is known late");
        }
    }

    async fn follow_feed(&self, commands: &Commands, mut feed: Subscription) {
        loop {
            match feed.next_batch(BATCH_MAX).await {
                Ok(batch) => {
                    if batch.iter().any(|event| event.name.starts_with("provider.")) {
                        self.refresh_at_last(commands).await;
                    }
                    self.0.applied.send_replace(feed.position());
                }
                Err(error) => {
                    tracing::warn!(%error, "the feed of providers is interrupted");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    async fn refresh_at_last(&self, commands: &Commands) {
        while let Err(error) = self.refresh(commands).await {
            tracing::warn!(%error, "the providers could not be read");
            if let CommandError::NewerThanThisBinary(_) = error {
                return;
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    async fn refresh(&self, commands: &Commands) -> Result<(), CommandError> {
        let state = commands.managed_providers().await?;
        let mut managed = BTreeMap::new();
        for (name, wanted) in state.iter() {
            // What did not change keeps what it knows of its issuer.
            if let Some(known) = self.managed(name).filter(|it| it.is_as_of(wanted)) {
                managed.insert(name.clone(), known);
                continue;
            }
            let secret = commands.open_client_secret(wanted).await?;
            match self.made(name, wanted, secret) {
                Ok(provider) => drop(managed.insert(name.clone(), Arc::new(provider))),
                Err(error) => {
                    tracing::warn!(provider = %name, %error, "the provider is switched off");
                }
            }
        }
        *self.0.managed.write().unwrap_or_else(PoisonError::into_inner) = managed;
        Ok(())
    }

    fn made(
        &self,
        name: &ProviderName,
        wanted: &Managed,
        secret: SecretString,
    ) -> Result<Provider, OAuthError> {
        let off = || OAuthError::Configuration("there is no outgoing HTTP".to_owned());
        let kind = ProviderKind::oidc(&wanted.issuer, &wanted.origins);
        let not_one = |_| OAuthError::Configuration("one of its origins is none".to_owned());
        let settings = ProviderSettings {
            name: name.clone(),
            title: wanted.title.clone(),
            client_id: wanted.client_id.clone(),
            client_secret: secret,
            scopes: wanted.scopes.clone(),
            kind: kind.map_err(not_one)?,
        };
        let version = Some((wanted.id, wanted.changed_at));
        Provider::new(settings, version, self.0.outgoing.as_ref().ok_or_else(off)?)
    }

    fn managed(&self, name: &ProviderName) -> Option<Arc<Provider>> {
        self.0.managed.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// Which state of which provider it was made from.
pub type Version = (keynest_domain::ProviderId, Timestamp);
