//! How a rendered mail leaves: by SMTP, or into the development mailbox.

use keynest_domain::Timestamp;
use lettre::message::{Mailbox as Address, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::letter::{Kind, Recipient};
use crate::mailbox::{Mailbox, StoredMail};
use crate::reactor::WorkError;
use crate::render::Rendered;

/// How long one mail may take to be handed over.
const SEND_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);

/// Where mails go.
#[derive(Clone)]
pub enum Transport {
    /// To an SMTP server; certificates are checked.
    Smtp {
        /// The connection pool.
        server: Box<AsyncSmtpTransport<Tokio1Executor>>,
        /// The sender.
        from: Box<Address>,
    },
    /// Kept in the database, shown at `/dev/mailbox/`.
    Mailbox(Mailbox),
}

/// Why the SMTP configuration is not usable.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// Not `smtp://` or `smtps://` with a host.
    #[error("read the SMTP address")]
    Url(#[source] lettre::transport::smtp::Error),
    /// Not an address such as `KeyNest <keynest@example.com>`.
    #[error("read the sender's address")]
    From(#[source] lettre::address::AddressError),
}

impl Transport {
    /// An SMTP server: `smtps://user:password@host` (TLS from the start), `smtp://host?tls=required` (STARTTLS),
    /// `smtp://host` (clear text, for a relay on this machine).
    pub fn smtp(url: &str, from: &str) -> Result<Self, SmtpError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)
            .map_err(SmtpError::Url)?
            .timeout(Some(SEND_TIMEOUT))
            .build();
        let from = from.parse().map_err(SmtpError::From)?;
        Ok(Self::Smtp { server: Box::new(server), from: Box::new(from) })
    }

    /// Hands a mail over. Temporary refusals are tried again, permanent ones are not (RFC 5321 4.2.1).
    pub async fn send(
        &self, kind: Kind, to: &Recipient, mail: Rendered, message_id: &str, now: Timestamp,
    ) -> Result<(), WorkError> {
        match self {
            Self::Smtp { server, from } => {
                let message = compose(from, to, mail, message_id)?;
                server.send(message).await.map(drop).map_err(|error| outcome(&error))
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
                mailbox.keep(&stored).await.map_err(|_| WorkError::Retry("keep the mail".to_owned()))
            }
        }
    }
}

/// The library composes and encodes all headers, so that no name can add one (DESIGN 11).
fn compose(from: &Address, to: &Recipient, mail: Rendered, message_id: &str) -> Result<Message, WorkError> {
    let address = to.address.parse().map_err(|_| WorkError::GiveUp("the address is not usable".to_owned()))?;
    Message::builder()
        .from(from.clone())
        .to(Address::new(Some(to.name.clone()), address))
        .subject(mail.subject)
        .message_id(Some(message_id.to_owned()))
        .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
        .map_err(|_| WorkError::GiveUp("the mail cannot be composed".to_owned()))
}

/// The server's own words may hold the address, so only the status code is kept.
fn outcome(error: &lettre::transport::smtp::Error) -> WorkError {
    let status = error.status().map_or_else(|| "no status".to_owned(), |code| code.to_string());
    if error.is_permanent() {
        WorkError::GiveUp(format!("the mail server refused for good ({status})"))
    } else if error.is_client() {
        WorkError::GiveUp("the mail cannot be handed to the server".to_owned())
    } else {
        WorkError::Retry(format!("the mail server did not take the mail ({status})"))
    }
}
