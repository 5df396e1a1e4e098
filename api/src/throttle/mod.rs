//! How often callers may try: named policies, true counters, bounded memory (CONTRACT 2.5, THREATS 1.8).
//!
//! Rare and dear routes (sign-in, registration, links by mail) are counted in Postgres, one budget for all processes;
//! everything else in this process. Administrators change the quotas while KeyNest runs.

mod counters;
mod layer;
mod limits;
mod meter;
mod standing;

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::request::Parts;
use keynest_commands::{Clock, CommandError, Commands};
use keynest_crypto::Keyring;
use keynest_domain::limits::{Instance, Limits, Policy, Quotas};
use keynest_domain::{Event, OrganizationId};
use keynest_store::quota::QuotaTable;
use keynest_store::{Recorded, Subscription, decode};
use tokio_util::sync::CancellationToken;

pub use layer::{ThrottleLayer, Throttled};
pub use limits::{KEYS_MAX_DEFAULT, ThrottleLimits};
pub use meter::Meter;
pub use standing::{Standing, set_headers};

use crate::Problem;
use crate::middleware::RequestNotes;
use crate::server::AddressBlock;
use counters::{Counters, Who};

/// Events taken from the feed at once.
const BATCH_MAX: usize = 500;
/// Pause after the log could not be read.
const RETRY_PAUSE: std::time::Duration = std::time::Duration::from_millis(200);

/// All policies of a process, cheap to clone. Each request counts before it is worked on, so that attempts that
/// fail count as well.
#[derive(Clone)]
pub struct Throttle(Arc<Counters>);

impl Throttle {
    /// With these limits, counting in this process alone.
    pub fn new(limits: &ThrottleLimits, clock: Clock) -> Self {
        Self(Arc::new(Counters::new(limits, clock, None)))
    }

    /// With these limits, and one budget for all processes on the routes that matter.
    pub fn shared(
        limits: &ThrottleLimits,
        clock: Clock,
        table: QuotaTable,
        keyring: Keyring,
    ) -> Self {
        Self(Arc::new(Counters::new(limits, clock, Some((table, keyring)))))
    }

    /// What is configured.
    pub fn configured(&self) -> &Quotas {
        self.0.configured()
    }

    /// What administrators have changed, as far as this process knows.
    pub fn changed(&self) -> Arc<Limits> {
        self.0.changed()
    }

    /// Reads what administrators have changed, now.
    pub async fn refresh(&self, commands: &Commands) -> Result<(), CommandError> {
        self.0.replace(commands.read::<Limits>(Instance).await?);
        Ok(())
    }

    /// Reads what administrators have changed, and follows the feed until told to stop.
    pub async fn follow(
        &self,
        commands: &Commands,
        stop: CancellationToken,
    ) -> Result<(), CommandError> {
        let feed = commands.store().subscribe(commands.store().head().await?);
        self.refresh(commands).await?;
        let throttle = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = throttle.follow_feed(feed) => {}
            }
        });
        Ok(())
    }

    async fn follow_feed(&self, mut feed: Subscription) {
        loop {
            match feed.next_batch(BATCH_MAX).await {
                Ok(batch) => batch.iter().filter_map(change).for_each(|it| self.0.apply(&it)),
                Err(error) => {
                    tracing::warn!(%error, "the feed of limits is interrupted");
                    tokio::time::sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// For `route_layer`: registrations, per address.
    pub fn register(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Register)
    }

    /// For `route_layer`: wishes for a password reset, per address.
    pub fn password_reset(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::PasswordReset)
    }

    /// For `route_layer`: sign-in and the like, per address and route (D33: routes do not share).
    pub fn auth(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Auth)
    }

    /// For `route_layer`: other public routes, per address.
    pub fn anonymous(&self) -> ThrottleLayer {
        ThrottleLayer::new(self.clone(), Policy::Anonymous)
    }

    /// For the extractor of the signed-in caller: counts a request of this user, and notes the counters for the
    /// answer's headers.
    pub fn user(&self, parts: &Parts, id: i64) -> Result<(), Problem> {
        self.own(parts, Policy::User, &id.to_string())
    }

    /// For the extractor of a caller with a personal or service token, besides its user's.
    pub fn token(&self, parts: &Parts, id: &str) -> Result<(), Problem> {
        self.own(parts, Policy::Token, id)
    }

    fn own(&self, parts: &Parts, policy: Policy, id: &str) -> Result<(), Problem> {
        self.0.take(policy, None, &Who::one(id), parts.extensions.get::<RequestNotes>())
    }

    /// Counts what reaches an organization; answers the seconds until there is room again.
    pub fn organizations(&self) -> keynest_domain::Meter {
        let counters = Arc::clone(&self.0);
        Arc::new(move |id: OrganizationId| {
            let taken =
                counters.count(Policy::Organization, Some(id), &Who::one(&id.to_string()), None);
            taken.map_or(
                Ok(()),
                |taken| if taken.is_within { Ok(()) } else { Err(taken.reset_seconds) },
            )
        })
    }

    /// One account from one client address.
    pub(crate) async fn pair(
        &self,
        account: &str,
        address: IpAddr,
        notes: Option<&RequestNotes>,
    ) -> Result<(), Problem> {
        let who = Who::at(account, AddressBlock::of(address));
        self.0.take_shared(Policy::SignIn, &who, notes).await
    }

    async fn address(
        &self,
        policy: Policy,
        address: IpAddr,
        route: &str,
        notes: Option<&RequestNotes>,
    ) -> Result<(), Problem> {
        let block = AddressBlock::of(address);
        match policy {
            Policy::Anonymous => self.0.take(policy, None, &Who::at("", block), notes),
            Policy::Register
            | Policy::PasswordReset
            | Policy::Auth
            | Policy::SignIn
            | Policy::User
            | Policy::Token
            | Policy::Organization
            | Policy::MailsHourly
            | Policy::MailsDaily
            | Policy::Invitations => {
                self.0.take_shared(policy, &Who::at(route, block), notes).await
            }
        }
    }
}

/// An event that this version cannot read changes nothing that it knows of.
fn change(recorded: &Recorded) -> Option<keynest_domain::limits::Event> {
    if !recorded.name.starts_with("limits.") {
        return None;
    }
    match decode(recorded) {
        Ok(Event::Limits(event)) => Some(event),
        Ok(_) => None,
        Err(error) => {
            tracing::error!(%error, position = ?recorded.position, "cannot read a changed limit");
            None
        }
    }
}
