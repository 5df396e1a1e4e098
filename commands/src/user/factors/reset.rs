//! Take all factors away from somebody who lost them and the recovery codes: for the operator of the instance.

use keynest_domain::user::User;
use keynest_domain::user::factors::reset;
use keynest_domain::{Email, Event, UserId};

use crate::user::owner_of;
use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase, claims};

struct Reset(Email);

impl Commands {
    /// Puts the account with this address back to its first factor; every session ends.
    pub async fn reset_factors(
        &self,
        origin: &Origin,
        address: Email,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &Reset(address)).await
    }
}

impl Unit<'_> {
    /// Gives back the claims that an account's passkeys hold on their credentials.
    pub(crate) async fn release_passkeys(
        &mut self,
        id: UserId,
        user: &User,
    ) -> Result<(), CommandError> {
        for (_, credential) in self.commands().open_passkeys(id, user).await? {
            self.release(claims::passkey(self.commands().keyring(), credential.id()));
        }
        Ok(())
    }
}

impl UseCase for Reset {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let claim = claims::email(unit.commands().keyring(), &self.0);
        let owner = unit.resolve(&claim).await?.ok_or(CommandError::Absent("account"))?;
        let id = owner_of(&owner)?;
        let user = unit.load::<User>(id).await?;
        unit.release_passkeys(id, &user).await?;
        unit.stage::<User>(id, reset::decide(&user, unit.now())?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
