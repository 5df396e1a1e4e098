//! Mails to a person about their account: activation, welcome, password.

use keynest_crypto::{Link, LinkTarget};
use keynest_domain::user::{Event, OpenLink, User};
use keynest_domain::{ProviderName, UserId};
use minijinja::context;

use crate::letter::{Kind, Letter};
use crate::mailer::Mailer;
use crate::people::{Person, id_of};
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_user(
        &self,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Vec<Letter>, WorkError> {
        let Some(person) = self.person(id_of::<UserId>(&delivery.recorded)?).await? else {
            return Ok(Vec::new());
        };
        let link = match event {
            Event::UserRegistered(it) => OpenLink { nonce: it.nonce, expires_at: it.expires_at },
            Event::ActivationRequested(it) => {
                OpenLink { nonce: it.nonce, expires_at: it.expires_at }
            }
            Event::PasswordResetRequested(it) => {
                OpenLink { nonce: it.nonce, expires_at: it.expires_at }
            }
            Event::RegistrationRepeated(_) => {
                return self.plain(delivery, person, Kind::AlreadyRegistered).await;
            }
            Event::UserActivated(_) => return self.plain(delivery, person, Kind::Welcome).await,
            Event::PasswordChanged(_) | Event::PasswordReset(_) => {
                return self.plain(delivery, person, Kind::PasswordChanged).await;
            }
            Event::IdentityLinked(it) => {
                // The first one of an account without a password began the account; its welcome is enough.
                let before = self.before::<User>(&delivery.recorded).await?;
                if before.ways_in() == 0 {
                    return Ok(Vec::new());
                }
                return self.identity(delivery, person, Kind::IdentityLinked, &it.provider).await;
            }
            Event::IdentityUnlinked(it) => {
                return self.identity(delivery, person, Kind::IdentityUnlinked, &it.provider).await;
            }
            Event::TotpEnrolled(_) | Event::PasskeyEnrolled(_) => {
                return self.plain(delivery, person, Kind::FactorAdded).await;
            }
            Event::FactorRemoved(_) => {
                return self.plain(delivery, person, Kind::FactorRemoved).await;
            }
            Event::RecoveryCodesMade(_) => {
                return self.plain(delivery, person, Kind::RecoveryCodesMade).await;
            }
            Event::RecoveryCodeUsed(_) => {
                return self.plain(delivery, person, Kind::RecoveryCodeUsed).await;
            }
            Event::TotpUsed(_)
            | Event::PasskeyUsed(_)
            | Event::ProfileSynchronised(_)
            | Event::ProfileUpdated(_)
            | Event::UserDeactivated(_)
            | Event::UserReactivated(_)
            | Event::NoticesSwitched(_)
            | Event::AdministratorGranted(_)
            | Event::AdministratorRevoked(_)
            | Event::OtherSessionsEnded(_)
            | Event::PasswordRehashed(_)
            | Event::EmailChangeConfirmed(_)
            | Event::EmailChangeCancelled(_) => return Ok(Vec::new()),
            Event::NewDeviceNoticed(it) => {
                return Ok(self.new_sign_in(delivery, person, it).await);
            }
            Event::EmailChangeRequested(it) => {
                return self.about_email_wish(delivery, person, it).await;
            }
            Event::EmailChanged(it) => return self.about_new_email(delivery, person, it).await,
            Event::EmailChangeUndone(_) => {
                return self.plain(delivery, person, Kind::EmailChangeUndone).await;
            }
        };
        let is_reset = matches!(event, Event::PasswordResetRequested(_));
        let open = if is_reset { person.state.reset } else { person.state.open_activation() };
        // Used, replaced by a newer one or too old: the mail would only confuse.
        if open != Some(link) || link.expires_at <= self.commands.clock().now() {
            return Ok(Vec::new());
        }
        let user = id_of::<UserId>(&delivery.recorded)?;
        let (kind, target, path) = match is_reset {
            true => (Kind::PasswordReset, LinkTarget::PasswordReset(user), "reset-password"),
            false => (Kind::Activation, LinkTarget::Activation(user), "activate"),
        };
        let issued = Link { target, nonce: link.nonce, expires_at: link.expires_at };
        let minutes = link.expires_at.since(delivery.recorded.recorded_at).secs().div_ceil(60);
        let facts = context! {
            link => self.link(&format!("{path}/{user}"), &issued),
            hours => minutes.div_ceil(60),
            minutes,
            username => person.username,
            ..self.circumstances(delivery).await
        };
        Ok(vec![Letter { kind, to: person.recipient, facts }])
    }

    async fn identity(
        &self,
        delivery: &Delivery,
        person: Person,
        kind: Kind,
        provider: &ProviderName,
    ) -> Result<Vec<Letter>, WorkError> {
        let facts = context! {
            username => person.username,
            provider => provider.as_str(),
            ..self.circumstances(delivery).await
        };
        Ok(vec![Letter { kind, to: person.recipient, facts }])
    }

    async fn plain(
        &self,
        delivery: &Delivery,
        person: Person,
        kind: Kind,
    ) -> Result<Vec<Letter>, WorkError> {
        let facts = context! { username => person.username, ..self.circumstances(delivery).await };
        Ok(vec![Letter { kind, to: person.recipient, facts }])
    }
}
