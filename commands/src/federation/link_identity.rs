//! Add an identity to the own account.

use keynest_domain::federation::{Rejection, Use};
use keynest_domain::user::{self, User, link_identity};
use keynest_domain::{Aggregate, Event, FederationId};

use super::proof::Proof;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct LinkIdentity {
    trip: FederationId,
    proof: Proof,
}

impl Commands {
    /// Links what a provider proved on a trip that this very session began; asks for a fresh sign-in.
    pub async fn link_identity(
        &self,
        origin: &Origin,
        trip: FederationId,
        proof: Proof,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(&origin.once(), &LinkIdentity { trip, proof }).await
    }

    /// Whether somebody may begin such a trip: signed in lately.
    pub async fn may_link_identity(&self, origin: &Origin) -> Result<(), CommandError> {
        let mut unit = Unit::new(self, origin, true);
        unit.load::<User>(unit.actor()?).await?.require_active()?;
        unit.require_fresh_sign_in().await
    }
}

impl UseCase for LinkIdentity {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        unit.require_fresh_sign_in().await?;
        let id = unit.actor()?;
        let state = unit.load::<User>(id).await?;
        state.require_active()?;
        self.proof.require_provider(unit).await?;
        // An address that nobody proved could be anybody's.
        if self.proof.verified_email().is_none() {
            return Err(Rejection::AddressUnverified.into());
        }
        let claim = self.proof.claim(unit);
        let holder = unit.resolve(&claim).await?;
        if holder.is_some_and(|holder| holder != User::stream(id)) {
            return Err(Rejection::IdentityTaken.into());
        }
        let events = link_identity::decide(&state, self.proof.linked(unit, id).await?)?;
        let linked = events.iter().find_map(|event| {
            let user::Event::IdentityLinked(it) = event else { return None };
            Some(it.identity)
        });
        unit.stage::<User>(id, events);
        if let Some(linked) = linked {
            unit.claim(claim, User::stream(id));
            let state = unit.load::<User>(id).await?;
            if let Some(identity) = state.identity(linked) {
                self.proof.synchronise(unit, id, identity).await?;
            }
        }
        self.proof.spend(unit, self.trip, id, Use::Link).await
    }

    fn outcome(&self, _: &[Event]) {}
}
