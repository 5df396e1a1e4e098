//! How a rendered mail leaves: by SMTP, or into the development mailbox.

use std::time::Duration;

use keynest_domain::Timestamp;
use lettre::message::Mailbox as Address;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::time::timeout;

use crate::letter::{Kind, Recipient};
use crate::mailbox::{Mailbox, StoredMail};
use crate::message::compose;
use crate::render::Rendered;
use crate::smtp::{self, SmtpError, SmtpLimits};

/// Steps of a conversation that may take as long as connecting: greeting, encryption, envelope, content.
const STEPS: u32 = 4;

/// Where mails go.
#[derive(Clone)]
pub enum Transport {
    /// To an SMTP server; certificates are checked.
    Smtp {
        /// The connection pool.
        server: Box<AsyncSmtpTransport<Tokio1Executor>>,
        /// The sender.
        from: Box<Address>,
        /// How long handing over one mail may take.
        send_max: Duration,
    },
    /// Kept in the database, shown at `/dev/mailbox/`.
    Mailbox(Mailbox),
}

/// Why a mail did not leave. The texts hold no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// This letter will never be taken.
    Refused(String),
    /// This letter is not taken now; others may be.
    Later(String),
    /// No letter gets through now.
    Unreachable(String),
}

impl Transport {
    /// An SMTP server: `smtps://user:password@host:465` (TLS from the start) or `smtp://user:password@host:587`
    /// (STARTTLS, required). `?tls=none` sends in clear, for a relay on this machine. `roots` are certificates (PEM)
    /// that are trusted besides those of the system.
    pub fn smtp(
        url: &str,
        from: &str,
        limits: SmtpLimits,
        roots: Option<&[u8]>,
    ) -> Result<Self, SmtpError> {
        let server = smtp::server(url, limits, roots)?;
        let from = from.parse().map_err(SmtpError::From)?;
        let send_max = limits.timeout * STEPS;
        Ok(Self::Smtp { server: Box::new(server), from: Box::new(from), send_max })
    }

    /// Hands a mail over.
    pub(crate) async fn send(
        &self,
        kind: Kind,
        to: &Recipient,
        mail: Rendered,
        message_id: &str,
        now: Timestamp,
    ) -> Result<(), Unsent> {
        match self {
            Self::Smtp { server, from, send_max } => {
                let message = compose(from, to, mail, message_id)?;
                // The library's own limit is for connecting only.
                match timeout(*send_max, server.send(message)).await {
                    Ok(sent) => {
                        sent.map(drop).map_err(|error| smtp::outcome(&error, to.address.is_ascii()))
                    }
                    Err(_) => Err(Unsent::Unreachable("the mail server takes too long".to_owned())),
                }
            }
            Self::Mailbox(mailbox) => {
                let stored = StoredMail {
                    id: 0,
                    message_id: message_id.to_owned(),
                    sent_at: now,
                    kind: kind.name().to_owned(),
                    recipient: to.address.clone(),
                    subject: mail.subject,
                    body_text: mail.text,
                    body_html: mail.html,
                };
                let kept = mailbox.keep(&stored).await;
                kept.map_err(|_| Unsent::Unreachable("the mailbox cannot keep the mail".to_owned()))
            }
        }
    }
}
