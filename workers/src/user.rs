//! Mails to a person about their account: activation, welcome, password.

use keynest_commands::Origin;
use keynest_commands::user::farewell_context;
use keynest_crypto::{Link, LinkTarget, Subject};
use keynest_domain::user::{Event, IdentityLinked, OpenLink, TokenRevoked, User, UserErased};
use keynest_domain::{ProviderName, UserId};
use minijinja::context;

use crate::letter::{Kind, Letter, Recipient};
use crate::mailer::Mailer;
use crate::people::{Person, id_of, later};
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_user(
        &self,
        delivery: &Delivery,
        event: &Event,
    ) -> Result<Vec<Letter>, WorkError> {
        if let Event::UserErased(it) = event {
            return self.farewell(delivery, it).await;
        }
        let Some(person) = self.person(id_of::<UserId>(&delivery.recorded)?).await? else {
            return Ok(Vec::new());
        };
        match event {
            Event::UserRegistered(it) => {
                let link = OpenLink { nonce: it.nonce, expires_at: it.expires_at };
                self.activation(delivery, person, link).await
            }
            Event::ActivationRequested(it) => {
                let link = OpenLink { nonce: it.nonce, expires_at: it.expires_at };
                self.activation(delivery, person, link).await
            }
            Event::PasswordResetRequested(it) => {
                let link = OpenLink { nonce: it.nonce, expires_at: it.expires_at };
                self.password_reset(delivery, person, link).await
            }
            Event::RegistrationRepeated(_) => {
                self.plain(delivery, person, Kind::AlreadyRegistered).await
            }
            Event::UserActivated(_) => self.plain(delivery, person, Kind::Welcome).await,
            Event::PasswordChanged(_) | Event::PasswordReset(_) => {
                self.plain(delivery, person, Kind::PasswordChanged).await
            }
            Event::IdentityLinked(it) => self.identity_linked(delivery, person, it).await,
            Event::IdentityUnlinked(it) => {
                self.identity(delivery, person, Kind::IdentityUnlinked, &it.provider).await
            }
            Event::UserDeactivated(_) => self.plain(delivery, person, Kind::AccountClosed).await,
            Event::TokenCreated(_) => self.plain(delivery, person, Kind::TokenCreated).await,
            Event::TokenRevoked(it) => self.token_ended(delivery, person, it).await,
            Event::TotpEnrolled(_) | Event::PasskeyEnrolled(_) => {
                self.plain(delivery, person, Kind::FactorAdded).await
            }
            Event::FactorRemoved(_) => self.plain(delivery, person, Kind::FactorRemoved).await,
            Event::FactorsReset(_) => self.plain(delivery, person, Kind::FactorsReset).await,
            // None in place of older ones: a part of something that has a mail of its own.
            Event::RecoveryCodesMade(it) if it.count == 0 => Ok(Vec::new()),
            Event::RecoveryCodesMade(_) => {
                self.plain(delivery, person, Kind::RecoveryCodesMade).await
            }
            Event::RecoveryCodeUsed(_) => {
                self.plain(delivery, person, Kind::RecoveryCodeUsed).await
            }
            Event::NewDeviceNoticed(it) => Ok(self.new_sign_in(delivery, person, it).await),
            Event::EmailChangeRequested(it) => self.about_email_wish(delivery, person, it).await,
            Event::EmailChanged(it) => self.about_new_email(delivery, person, it).await,
            Event::EmailChangeUndone(_) => {
                self.plain(delivery, person, Kind::EmailChangeUndone).await
            }
            Event::TotpUsed(_)
            | Event::PasskeyUsed(_)
            | Event::ProfileSynchronised(_)
            | Event::ProfileUpdated(_)
            | Event::DataExported(_)
            | Event::UserErased(_)
            | Event::UserReactivated(_)
            | Event::NoticesSwitched(_)
            | Event::AdministratorGranted(_)
            | Event::AdministratorRevoked(_)
            | Event::OtherSessionsEnded(_)
            | Event::PasswordRehashed(_)
            | Event::EmailChangeConfirmed(_)
            | Event::EmailChangeCancelled(_) => Ok(Vec::new()),
        }
    }

    async fn activation(
        &self,
        delivery: &Delivery,
        person: Person,
        link: OpenLink,
    ) -> Result<Vec<Letter>, WorkError> {
        let user = id_of::<UserId>(&delivery.recorded)?;
        let page = (format!("activate/{user}"), LinkTarget::Activation(user));
        let open = person.state.open_activation();
        Ok(self.with_link(delivery, person, Kind::Activation, (open, link), page).await)
    }

    async fn password_reset(
        &self,
        delivery: &Delivery,
        person: Person,
        link: OpenLink,
    ) -> Result<Vec<Letter>, WorkError> {
        let user = id_of::<UserId>(&delivery.recorded)?;
        let page = (format!("reset-password/{user}"), LinkTarget::PasswordReset(user));
        let open = person.state.reset;
        Ok(self.with_link(delivery, person, Kind::PasswordReset, (open, link), page).await)
    }

    async fn with_link(
        &self,
        delivery: &Delivery,
        person: Person,
        kind: Kind,
        (open, link): (Option<OpenLink>, OpenLink),
        (path, target): (String, LinkTarget),
    ) -> Vec<Letter> {
        // Used, replaced by a newer one or too old: the mail would only confuse.
        if open != Some(link) || link.expires_at <= self.commands.clock().now() {
            return Vec::new();
        }
        let issued = Link { target, nonce: link.nonce, expires_at: link.expires_at };
        let minutes = link.expires_at.since(delivery.recorded.recorded_at).secs().div_ceil(60);
        let facts = context! {
            link => self.link(&path, &issued),
            hours => minutes.div_ceil(60),
            minutes,
            username => person.username,
            ..self.circumstances(delivery).await
        };
        vec![Letter { kind, to: person.recipient, facts }]
    }

    async fn identity_linked(
        &self,
        delivery: &Delivery,
        person: Person,
        it: &IdentityLinked,
    ) -> Result<Vec<Letter>, WorkError> {
        // The first one of an account without a password began the account; its welcome is enough.
        let before = self.before::<User>(&delivery.recorded).await?;
        let has_other = before.password.is_some() || !before.factors.passkeys.is_empty();
        if !has_other && before.identities.is_empty() {
            return Ok(Vec::new());
        }
        self.identity(delivery, person, Kind::IdentityLinked, &it.provider).await
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

    /// Whoever ends a token of the own knows it.
    async fn token_ended(
        &self,
        delivery: &Delivery,
        person: Person,
        it: &TokenRevoked,
    ) -> Result<Vec<Letter>, WorkError> {
        if delivery.recorded.metadata.actor == person.recipient.user {
            return Ok(Vec::new());
        }
        let facts = context! {
            organization => (),
            username => person.username,
            token => it.token.get(),
            ..self.circumstances(delivery).await
        };
        Ok(vec![Letter { kind: Kind::TokenEnded, to: person.recipient, facts }])
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

    /// The last mail. Its address is in the event itself, under a key of its own; no key, no mail.
    async fn farewell(
        &self,
        delivery: &Delivery,
        event: &UserErased,
    ) -> Result<Vec<Letter>, WorkError> {
        let user = id_of::<UserId>(&delivery.recorded)?;
        let Some(sealed) = &event.farewell else { return Ok(Vec::new()) };
        let opened = self.commands.keyring().open_text(&farewell_context(user), sealed).await;
        let address = opened.map_err(|error| WorkError::Retry(error.to_string()))?;
        let Some(address) = address.map(|address| address.to_string()) else {
            return Ok(Vec::new());
        };
        let facts = self.circumstances(delivery).await;
        let to = Recipient { user: Some(user), name: address.clone(), address };
        Ok(vec![Letter { kind: Kind::AccountErased, to, facts }])
    }

    /// Once the last mail is sent, or refused for good, nobody needs the address any more. Whatever does not come to
    /// that is the janitor's.
    pub(crate) async fn forget_farewell(
        &self,
        delivery: &Delivery,
        sent: Result<(), WorkError>,
    ) -> Result<(), WorkError> {
        if matches!(sent, Err(WorkError::Retry(_))) {
            return sent;
        }
        let user = id_of::<UserId>(&delivery.recorded)?;
        let origin = Origin::product(self.commands.clock().request_id());
        self.commands.destroy_key(&origin, Subject::Farewell(user)).await.map_err(later)?;
        sent
    }
}
