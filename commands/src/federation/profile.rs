//! Names and picture follow the provider at each sign-in.

use keynest_crypto::{Context, Subject};
use keynest_domain::user::{Identity, ProfileSynchronised, User, synchronise_profile};
use keynest_domain::{Aggregate, PersonName, Sealed, UserId};

use super::proof::{ADDRESS_CHARS_MAX, Proof};
use crate::{CommandError, Unit};

const EVENT: &str = "user.profile_synchronised";

impl Proof {
    /// The names as we take them; empty where they are none.
    pub(super) fn names(&self) -> (PersonName, PersonName) {
        let clean = |text: &str| {
            let kept: String = text.chars().filter(|c| !c.is_control()).take(150).collect();
            PersonName::parse(&kept).or_else(|_| PersonName::parse("")).expect("no name is one")
        };
        (clean(&self.first_name), clean(&self.last_name))
    }

    fn picture(&self) -> Option<&str> {
        let is_fine = |text: &&str| text.starts_with("https://") && text.len() <= ADDRESS_CHARS_MAX;
        self.avatar_url.as_deref().filter(is_fine)
    }

    /// Stages what has changed at the provider since the last sign-in.
    pub(super) async fn synchronise(
        &self,
        unit: &mut Unit<'_>,
        id: UserId,
        identity: &Identity,
    ) -> Result<(), CommandError> {
        let user = unit.load::<User>(id).await?;
        let (first, last) = self.names();
        let known = unit.commands().open_user_names(id, &user).await?;
        let picture = match &identity.avatar_url {
            Some(sealed) => opened(unit, id, sealed).await?,
            None => None,
        };
        let are_names_known = !user.names_follow
            || (first.as_str().is_empty() && last.as_str().is_empty())
            || (known.first_name == first.as_str() && known.last_name == last.as_str());
        let is_unchanged = are_names_known && picture.as_deref() == self.picture();
        let sealed = |field, text| unit.seal::<User>(Subject::User(id), id, EVENT, field, text);
        let (first_name, last_name) = match are_names_known {
            true => (None, None),
            false => (
                Some(sealed("first_name", first.as_str()).await?),
                Some(sealed("last_name", last.as_str()).await?),
            ),
        };
        let avatar_url = match self.picture() {
            Some(text) => Some(sealed("avatar_url", text).await?),
            None => None,
        };
        let profile =
            ProfileSynchronised { identity: identity.id, first_name, last_name, avatar_url };
        let wish = synchronise_profile::SynchroniseProfile { profile, is_unchanged };
        unit.stage::<User>(id, synchronise_profile::decide(&user, wish)?);
        Ok(())
    }
}

async fn opened(
    unit: &Unit<'_>,
    id: UserId,
    sealed: &Sealed,
) -> Result<Option<String>, CommandError> {
    let context = Context::new(Subject::User(id), User::stream(id), EVENT, "avatar_url");
    let text = unit.commands().keyring().open_text(&context, sealed).await?;
    Ok(text.map(|text| text.to_string()))
}
