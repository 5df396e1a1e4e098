//! Mails about who gets in: a sign-in from a new network, another address.

use keynest_commands::claims;
use keynest_crypto::{Link, LinkTarget, Subject};
use keynest_domain::user::{EmailChangeRequested, EmailChanged, NewDeviceNoticed, OpenLink, User};
use keynest_domain::{Aggregate, Email, Sealed, Timestamp, UserId, device};
use minijinja::context;

use crate::letter::{Kind, Letter, Recipient};
use crate::mailer::Mailer;
use crate::people::{Person, id_of};
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn new_sign_in(
        &self,
        delivery: &Delivery,
        person: Person,
        event: &NewDeviceNoticed,
    ) -> Vec<Letter> {
        if event.is_first {
            return Vec::new();
        }
        let client = self.client(delivery).await;
        let device = client.and_then(|client| client.agent).map(|it| device::describe(Some(&it)));
        let facts = context! {
            username => person.username,
            device,
            ..self.circumstances(delivery).await
        };
        vec![Letter { kind: Kind::NewSignIn, to: person.recipient, facts }]
    }

    /// One letter to each side. Whether the wished address is taken is found out here, so that the request itself is
    /// the same work for every address.
    pub(crate) async fn about_email_wish(
        &self,
        delivery: &Delivery,
        person: Person,
        event: &EmailChangeRequested,
    ) -> Result<Vec<Letter>, WorkError> {
        let user = id_of::<UserId>(&delivery.recorded)?;
        let open = person.state.email_change.as_ref();
        let is_newest = open.is_some_and(|open| open.old_nonce == event.old_nonce);
        if !is_newest || event.expires_at <= self.commands.clock().now() {
            return Ok(Vec::new());
        }
        let name = "user.email_change_requested";
        let Some(wished) = self.opened_email(user, name, "email", &event.email).await? else {
            return Ok(Vec::new());
        };
        let to_new = self.letter_to_wished(delivery, user, &person, event, &wished).await?;
        let old = OpenLink { nonce: event.old_nonce, expires_at: event.expires_at };
        let facts = context! {
            link => self.email_link("confirm-email", user, LinkTarget::OldEmail(user), old),
            cancel => self.email_link("cancel-email", user, LinkTarget::OldEmail(user), old),
            hours => hours(delivery, event.expires_at),
            wished,
            username => person.username,
            ..self.circumstances(delivery).await
        };
        let to_old = Letter { kind: Kind::EmailChangeNotice, to: person.recipient, facts };
        Ok([Some(to_old), to_new].into_iter().flatten().collect())
    }

    async fn letter_to_wished(
        &self,
        delivery: &Delivery,
        user: UserId,
        person: &Person,
        event: &EmailChangeRequested,
        wished: &str,
    ) -> Result<Option<Letter>, WorkError> {
        let address = Email::parse(wished).map_err(|why| WorkError::GiveUp(why.code.to_owned()))?;
        let claim = claims::email(self.commands.keyring(), &address);
        let holder = self.commands.store().resolve(&claim).await;
        let holder = holder.map_err(|error| WorkError::Retry(error.to_string()))?;
        if let Some((stream, _)) = holder {
            let owner = stream.id().parse::<UserId>().ok();
            let owner = match owner {
                Some(owner) => self.person(owner).await?.filter(|owner| owner.is_active),
                None => None,
            };
            let Some(owner) = owner else { return Ok(None) };
            let facts =
                context! { username => owner.username, ..self.circumstances(delivery).await };
            return Ok(Some(Letter { kind: Kind::EmailChangeTaken, to: owner.recipient, facts }));
        }
        let link = OpenLink { nonce: event.new_nonce, expires_at: event.expires_at };
        let facts = context! {
            link => self.email_link("confirm-email", user, LinkTarget::NewEmail(user), link),
            hours => hours(delivery, event.expires_at),
            username => person.username.as_str(),
            ..self.circumstances(delivery).await
        };
        let name = person.name().to_owned();
        let to = Recipient { user: None, address: wished.to_owned(), name };
        Ok(Some(Letter { kind: Kind::EmailChangeConfirm, to, facts }))
    }

    /// The old address can take itself back; the new one is told as well.
    pub(crate) async fn about_new_email(
        &self,
        delivery: &Delivery,
        person: Person,
        event: &EmailChanged,
    ) -> Result<Vec<Letter>, WorkError> {
        let user = id_of::<UserId>(&delivery.recorded)?;
        let name = "user.email_changed";
        let wished = self.opened_email(user, name, "email", &event.email).await?;
        let previous = self.opened_email(user, name, "previous", &event.previous).await?;
        let (Some(wished), Some(previous)) = (wished, previous) else { return Ok(Vec::new()) };
        let undo = OpenLink { nonce: event.undo_nonce, expires_at: event.undo_until };
        let is_open = person.state.email_undo.as_ref().is_some_and(|it| it.link == undo);
        let link = (is_open && undo.expires_at > self.commands.clock().now())
            .then(|| self.email_link("undo-email", user, LinkTarget::EmailUndo(user), undo));
        let letter = |address: &str, link: Option<String>, circumstances| Letter {
            kind: Kind::EmailChanged,
            to: Recipient {
                user: None,
                address: address.to_owned(),
                name: person.name().to_owned(),
            },
            facts: context! {
                link,
                hours => hours(delivery, undo.expires_at),
                wished => wished.as_str(),
                previous => previous.as_str(),
                username => person.username.as_str(),
                ..circumstances
            },
        };
        Ok(vec![
            letter(&previous, link, self.circumstances(delivery).await),
            letter(&wished, None, self.circumstances(delivery).await),
        ])
    }

    async fn opened_email(
        &self,
        user: UserId,
        event: &'static str,
        field: &'static str,
        sealed: &Sealed,
    ) -> Result<Option<String>, WorkError> {
        let (subject, stream) = (Subject::User(user), User::stream(user));
        self.opened(subject, &stream, Some(event), field, Some(sealed)).await
    }

    /// The frontend has no pages for these, so they are the API's own.
    fn email_link(&self, path: &str, user: UserId, target: LinkTarget, open: OpenLink) -> String {
        let link = Link { target, nonce: open.nonce, expires_at: open.expires_at };
        self.page_link(&format!("{path}/{user}"), &link)
    }
}

fn hours(delivery: &Delivery, until: Timestamp) -> u32 {
    until.since(delivery.recorded.recorded_at).secs().div_ceil(3_600)
}
