//! What a stranger may ask for in the name of an address: the same work whether the address has an account or not (D27).

use keynest_domain::login::{LinkNotSent, Login};
use keynest_domain::user::{self, User};
use keynest_domain::{Email, UserId};

use super::register::owner_of;
use crate::login::{NOBODY, login_id};
use crate::{CommandError, Unit, claims};

/// Links that were asked for and not sent are counted apart from sign-ins, whose streams are read each time.
const NOT_SENT: &str = "link-not-sent";

impl Unit<'_> {
    /// Loads the account behind an address, or nobody's, and stages what is decided of it. When nothing is, that is
    /// staged: there is one append with one event in any case.
    pub(super) async fn ask_for_mail(
        &mut self,
        address: &Email,
        decide: impl FnOnce(&User, [keynest_domain::limits::Quota; 2]) -> Vec<user::Event>,
    ) -> Result<Option<UserId>, CommandError> {
        let claim = claims::email(self.commands().keyring(), address);
        let owner = self.resolve(&claim).await?.map(|stream| owner_of(&stream)).transpose()?;
        self.ask_owner_for_mail(owner, address, decide).await?;
        Ok(owner)
    }

    /// The same for whoever has looked for the owner already.
    pub(super) async fn ask_owner_for_mail(
        &mut self,
        owner: Option<UserId>,
        address: &Email,
        decide: impl FnOnce(&User, [keynest_domain::limits::Quota; 2]) -> Vec<user::Event>,
    ) -> Result<(), CommandError> {
        let id = owner.unwrap_or(NOBODY);
        let state = self.load_anew::<User>(id).await?;
        let quotas = self.mail_quotas().await?;
        let events = decide(&state, quotas);
        if events.is_empty() {
            let asked = login_id(self.commands().keyring(), NOT_SENT, address.as_str());
            let not_sent = LinkNotSent { user: owner, at: self.now() };
            self.stage_any::<Login>(asked, not_sent.into());
        } else {
            self.stage::<User>(id, events);
        }
        Ok(())
    }
}
