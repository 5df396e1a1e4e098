//! The mailer: which events make letters, each sent once.

use async_trait::async_trait;
use keynest_commands::Commands;
use keynest_crypto::{Link, Links};
use keynest_domain::{Event, session};
use keynest_store::Recorded;
use minijinja::{Value, context};
use secrecy::ExposeSecret;
use sqlx::PgPool;

use crate::effects::Effects;
use crate::letter::Letter;
use crate::reactor::{Delivery, Reactor, WorkError};
use crate::render::Renderer;
use crate::transport::Transport;

/// Events that make letters.
const WANTED: &[&str] = &[
    "user.registered",
    "user.registration_repeated",
    "user.activation_requested",
    "user.activated",
    "user.password_changed",
    "user.password_reset_requested",
    "user.password_reset",
    "session.refresh_token_reuse_detected",
    "organization.invitation_sent",
    "organization.member_joined",
    "organization.member_role_changed",
    "organization.member_removed",
    "project.created",
    "project.updated",
    "project.deleted",
    "environment.created",
    "environment.variables_imported",
];

/// What the configuration says about mails.
#[derive(Clone, Debug)]
pub struct MailerSettings {
    /// Origin of every link; no trailing slash. Configured, never from a request (DESIGN 11).
    pub site: String,
    /// The right part of every Message-ID.
    pub domain: String,
    /// Whether members are told what happens in their organizations; security mails are always sent.
    pub has_notices: bool,
}

/// The reactor that sends mails.
pub struct Mailer {
    pub(crate) commands: Commands,
    links: Links,
    effects: Effects,
    transport: Transport,
    renderer: Renderer,
    pub(crate) settings: MailerSettings,
}

impl Mailer {
    /// Puts the mailer together; `pool` is the durable one.
    pub fn new(
        commands: Commands,
        pool: PgPool,
        transport: Transport,
        settings: MailerSettings,
    ) -> Result<Self, minijinja::Error> {
        let links = Links::new(commands.keyring().clone());
        Ok(Self {
            commands,
            links,
            effects: Effects::new(pool),
            transport,
            renderer: Renderer::new()?,
            settings,
        })
    }

    /// A link into the frontend, or into the API's own pages.
    pub(crate) fn link(&self, path: &str, link: &Link) -> String {
        format!("{}/{path}/{}/", self.settings.site, self.links.issue(link).expose_secret())
    }

    /// What every letter about an event may say: when, from where, and where the site is.
    pub(crate) async fn circumstances(&self, delivery: &Delivery) -> Value {
        let at = delivery.recorded.recorded_at.iso();
        let at = format!("{} {} UTC", &at[..10], &at[11..16]);
        context! { at, place => self.place(delivery).await, site => self.settings.site.as_str() }
    }

    async fn letters(&self, delivery: &Delivery) -> Result<Vec<Letter>, WorkError> {
        let recorded = &delivery.recorded;
        match &delivery.event {
            Event::User(event) => self.about_user(delivery, event).await,
            Event::Session(session::Event::RefreshTokenReuseDetected(event)) => {
                self.about_token_reuse(delivery, event).await
            }
            Event::Organization(event) => self.about_organization(delivery, event).await,
            Event::Project(event) => self.about_project(delivery, event).await,
            Event::Environment(event) => self.about_environment(delivery, event).await,
            Event::Session(_) | Event::Login(_) | Event::Access(_) | Event::Refusals(_) => {
                Err(WorkError::GiveUp(format!("{} makes no letter", recorded.name)))
            }
        }
    }

    async fn send_once(&self, recorded: &Recorded, letter: Letter) -> Result<(), WorkError> {
        let kind = letter.kind.name();
        let recipient = letter.to.key(self.commands.keyring());
        let tag: String =
            self.commands.keyring().digest("message-id", &recipient).chars().take(12).collect();
        let message_id = format!("<{}.{kind}.{tag}@{}>", recorded.event_id, self.settings.domain);
        let unkept = |_| WorkError::Retry("keep the effects table".to_owned());
        let now = self.commands.clock().now();
        let begun = self.effects.begin(recorded.event_id, kind, &recipient, &message_id, now).await;
        if !begun.map_err(unkept)? {
            return Ok(());
        }
        let mail = self
            .renderer
            .render(&letter)
            .map_err(|error| WorkError::GiveUp(error.kind().to_string()))?;
        self.transport.send(letter.kind, &letter.to, mail, &message_id, now).await?;
        self.effects.finish(recorded.event_id, kind, &recipient, now).await.map_err(unkept)?;
        metrics::counter!("keynest_mails_sent_total", "kind" => kind).increment(1);
        Ok(())
    }
}

#[async_trait]
impl Reactor for Mailer {
    fn durable(&self) -> &'static str {
        "mailer"
    }

    fn wants(&self, event_name: &str) -> bool {
        WANTED.contains(&event_name)
    }

    /// Sends all letters of an event; one that fails does not hold up the others.
    async fn handle(&self, delivery: &Delivery) -> Result<(), WorkError> {
        let mut failure = None;
        for letter in self.letters(delivery).await? {
            match self.send_once(&delivery.recorded, letter).await {
                Ok(()) => {}
                // What may still be delivered decides whether the event is tried again.
                Err(error @ WorkError::Retry(_)) => failure = Some(error),
                Err(error @ WorkError::GiveUp(_)) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wanted_event_is_in_the_catalogue() {
        for wanted in WANTED {
            assert!(Event::catalogue().any(|(name, _)| name == *wanted), "{wanted}");
        }
    }
}
