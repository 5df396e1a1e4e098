//! Change first and last name.

use keynest_crypto::Subject;
use keynest_domain::user::{User, update_profile};
use keynest_domain::{Event, PersonName};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

const EVENT: &str = "user.profile_updated";

/// The wish; `None` leaves a name as it is.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UpdateProfile {
    pub first_name: Option<PersonName>,
    pub last_name: Option<PersonName>,
}

impl Commands {
    /// Changes the caller's names.
    pub async fn update_profile(
        &self,
        origin: &Origin,
        wish: UpdateProfile,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for UpdateProfile {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = unit.actor()?;
        let user = unit.load::<User>(id).await?;
        user.require_active()?;
        let now = unit.commands().open_user_names(id, &user).await?;
        let first_name =
            self.first_name.as_ref().map_or(now.first_name.as_str(), PersonName::as_str);
        let last_name = self.last_name.as_ref().map_or(now.last_name.as_str(), PersonName::as_str);
        let is_unchanged = first_name == now.first_name && last_name == now.last_name;
        let subject = Subject::User(id);
        let wish = update_profile::UpdateProfile {
            first_name: unit.seal::<User>(subject, id, EVENT, "first_name", first_name).await?,
            last_name: unit.seal::<User>(subject, id, EVENT, "last_name", last_name).await?,
            is_unchanged,
        };
        unit.stage::<User>(id, update_profile::decide(&user, wish)?);
        Ok(())
    }

    fn outcome(&self, _: &[Event]) {}
}
