//! The mailer: which events make letters, each sent once.

use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use keynest_commands::Commands;
use keynest_crypto::{Link, Links};
use keynest_domain::{Event, Timestamp, session, user};
use keynest_store::Recorded;
use minijinja::{Value, context};
use secrecy::ExposeSecret;
use sqlx::PgPool;

use crate::effects::{Begun, Effects};
use crate::letter::Letter;
use crate::reactor::{Delivery, Reactor, WorkError};
use crate::render::Renderer;
use crate::transport::{Transport, Unsent};

/// The mailer's name in the tables of consumers and work.
pub const MAILER: &str = "mailer";

/// Letters of one event that are handed over at the same time.
const LETTERS_AT_ONCE: usize = 4;
/// What tells the letters of one event apart in their Message-IDs, in hexadecimal digits.
const TAG_CHARS: usize = 12;
/// Events that make letters.
const WANTED: &[&str] = &[
    "user.registered",
    "user.registration_repeated",
    "user.activation_requested",
    "user.activated",
    "user.password_changed",
    "user.password_reset_requested",
    "user.password_reset",
    "user.identity_linked",
    "user.identity_unlinked",
    "user.totp_enrolled",
    "user.passkey_enrolled",
    "user.factor_removed",
    "user.factors_reset",
    "user.recovery_codes_made",
    "user.recovery_code_used",
    "user.new_device_noticed",
    "user.email_change_requested",
    "user.email_changed",
    "user.email_change_undone",
    "user.token_created",
    "user.token_revoked",
    "user.deactivated",
    "user.erased",
    "session.refresh_token_reuse_detected",
    "organization.invitation_sent",
    "organization.member_joined",
    "organization.member_role_changed",
    "organization.member_removed",
    "organization.service_token_revoked",
    "organization.trust_removed",
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
    /// Origin of the API's own pages, for links that the frontend has no page for; no trailing slash.
    pub pages: String,
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

    /// A link to a page of the API itself.
    pub(crate) fn page_link(&self, path: &str, link: &Link) -> String {
        format!("{}/{path}/{}/", self.settings.pages, self.links.issue(link).expose_secret())
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
            Event::Session(_)
            | Event::Login(_)
            | Event::Federation(_)
            | Event::Challenge(_)
            | Event::Access(_)
            | Event::Refusals(_)
            | Event::Key(_)
            | Event::Exchange(_)
            | Event::Limits(_)
            | Event::Provider(_) => {
                Err(WorkError::GiveUp(format!("{} makes no letter", recorded.name)))
            }
        }
    }

    /// Sends a letter unless it was sent or refused before. Temporary trouble leaves it open for the next try.
    async fn send_once(&self, recorded: &Recorded, letter: Letter) -> Result<(), Unsent> {
        let (event, kind) = (recorded.event_id, letter.kind.name());
        let keyring = self.commands.keyring();
        let recipient = letter.to.key(keyring);
        let tag: String =
            keyring.digest("message-id", &recipient).chars().take(TAG_CHARS).collect();
        let message_id = format!("<{event}.{kind}.{tag}@{}>", self.settings.domain);
        let now = self.commands.clock().now();
        let begun = self.effects.begin(event, kind, &recipient, &message_id, now).await;
        let message_id = match begun.map_err(unkept)? {
            Begun::Open(message_id) => message_id,
            Begun::Done => return Ok(()),
            Begun::Refused => {
                return Err(Unsent::Refused("it was refused for good before".to_owned()));
            }
        };
        match self.hand_over(&letter, &message_id, now).await {
            Ok(()) => {
                metrics::counter!("keynest_mails_sent_total", "kind" => kind).increment(1);
                self.effects.finish(event, kind, &recipient, now).await.map_err(unkept)
            }
            Err(refused @ Unsent::Refused(_)) => {
                metrics::counter!("keynest_mails_refused_total", "kind" => kind).increment(1);
                self.effects.refuse(event, kind, &recipient, now).await.map_err(unkept)?;
                Err(refused)
            }
            Err(unsent) => Err(unsent),
        }
    }

    async fn hand_over(
        &self,
        letter: &Letter,
        message_id: &str,
        now: Timestamp,
    ) -> Result<(), Unsent> {
        let rendered = self.renderer.render(letter);
        let mail = rendered
            .map_err(|error| Unsent::Refused(format!("render the mail: {}", error.kind())))?;
        self.transport.send(letter.kind, &letter.to, mail, message_id, now).await
    }

    /// Sends all letters of an event, some at a time. One that fails does not hold up the others, but there is no
    /// point in trying the others at a server that cannot be reached.
    async fn send_all(&self, recorded: &Recorded, letters: Vec<Letter>) -> Result<(), WorkError> {
        let is_down = AtomicBool::new(false);
        let sending = stream::iter(letters).map(|letter| async {
            if is_down.load(Ordering::Relaxed) {
                return Err(Unsent::Later("the mail server is down".to_owned()));
            }
            let sent = self.send_once(recorded, letter).await;
            if let Err(Unsent::Unreachable(_)) = sent {
                is_down.store(true, Ordering::Relaxed);
            }
            sent
        });
        let mut sending = sending.buffer_unordered(LETTERS_AT_ONCE);
        let mut failure = None;
        while let Some(sent) = sending.next().await {
            failure = match (sent, failure) {
                (Ok(()), failure) => failure,
                // What may still be delivered decides whether the event is tried again.
                (Err(Unsent::Unreachable(why)), _) => Some(WorkError::Retry(why)),
                (Err(Unsent::Later(why)), None | Some(WorkError::GiveUp(_))) => {
                    Some(WorkError::Retry(why))
                }
                (Err(Unsent::Later(_) | Unsent::Refused(_)), Some(failure)) => Some(failure),
                (Err(Unsent::Refused(why)), None) => Some(WorkError::GiveUp(why)),
            };
        }
        failure.map_or(Ok(()), Err)
    }
}

fn unkept(_: sqlx::Error) -> Unsent {
    Unsent::Later("keep the effects table".to_owned())
}

#[async_trait]
impl Reactor for Mailer {
    fn durable(&self) -> &'static str {
        MAILER
    }

    fn wants(&self, event_name: &str) -> bool {
        WANTED.contains(&event_name)
    }

    async fn handle(&self, delivery: &Delivery) -> Result<(), WorkError> {
        let letters = self.letters(delivery).await?;
        let sent = self.send_all(&delivery.recorded, letters).await;
        let is_last = matches!(&delivery.event, Event::User(user::Event::UserErased(_)));
        if is_last { self.forget_farewell(delivery, sent).await } else { sent }
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
