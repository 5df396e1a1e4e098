//! A browser came back from a provider: each trip's answer is heard once, on whichever process it arrives.

use keynest_domain::federation::{self, Federation, ProviderAnswered};
use keynest_domain::{Event, FederationId, ProviderName};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

struct HearAnswer {
    trip: FederationId,
    provider: ProviderName,
}

impl Commands {
    /// Refuses the second answer of a trip. To be done before the provider is asked anything.
    pub async fn hear_provider_answer(
        &self,
        origin: &Origin,
        trip: FederationId,
        provider: ProviderName,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(&origin.once(), &HearAnswer { trip, provider }).await
    }
}

impl UseCase for HearAnswer {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let state = unit.load::<Federation>(self.trip).await?;
        let event = ProviderAnswered { provider: self.provider.clone(), at: unit.now() };
        unit.stage::<Federation>(self.trip, federation::answer(&state, event)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
