//! How a rendered mail leaves: by SMTP, or into the development mailbox.

use std::time::Duration;

use keynest_domain::Timestamp;
use lettre::message::{Mailbox as Address, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::letter::{Kind, Recipient};
use crate::mailbox::{Mailbox, StoredMail};
use crate::reactor::WorkError;
use crate::render::Rendered;

/// How the SMTP server is used.
#[derive(Clone, Copy, Debug)]
pub struct SmtpLimits {
    /// How long one step of the conversation may take.
    pub timeout: Duration,
    /// Connections kept at most.
    pub connections_max: u32,
}

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
    /// An SMTP server: `smtps://user:password@host:465` (TLS from the start) or `smtp://user:password@host:587`
    /// (STARTTLS, required). `?tls=none` sends in clear, for a relay on this machine.
    pub fn smtp(url: &str, from: &str, limits: SmtpLimits) -> Result<Self, SmtpError> {
        let server = AsyncSmtpTransport::<Tokio1Executor>::from_url(&with_tls(url))
            .map_err(SmtpError::Url)?
            .timeout(Some(limits.timeout))
            .pool_config(PoolConfig::new().max_size(limits.connections_max))
            .build();
        let from = from.parse().map_err(SmtpError::From)?;
        Ok(Self::Smtp { server: Box::new(server), from: Box::new(from) })
    }

    /// Hands a mail over. Temporary refusals are tried again, permanent ones are not (RFC 5321 4.2.1).
    pub async fn send(
        &self,
        kind: Kind,
        to: &Recipient,
        mail: Rendered,
        message_id: &str,
        now: Timestamp,
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
                mailbox
                    .keep(&stored)
                    .await
                    .map_err(|_| WorkError::Retry("keep the mail".to_owned()))
            }
        }
    }
}

/// The library sends `smtp://` in clear unless told; here STARTTLS is the rule and clear text the exception.
fn with_tls(url: &str) -> String {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    match query {
        "tls=none" => base.to_owned(),
        "" if base.starts_with("smtp://") => format!("{base}?tls=required"),
        _ => url.to_owned(),
    }
}

/// The library composes and encodes all headers, so that no name can add one (DESIGN 11).
fn compose(
    from: &Address,
    to: &Recipient,
    mail: Rendered,
    message_id: &str,
) -> Result<Message, WorkError> {
    let address = to
        .address
        .parse()
        .map_err(|_| WorkError::GiveUp("the address is not usable".to_owned()))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smtp_means_starttls_unless_it_is_said_otherwise() {
        assert_eq!(with_tls("smtp://mail.example:587"), "smtp://mail.example:587?tls=required");
        assert_eq!(with_tls("smtp://localhost:25?tls=none"), "smtp://localhost:25");
        assert_eq!(with_tls("smtps://mail.example"), "smtps://mail.example");
        assert_eq!(
            with_tls("smtp://mail.example?tls=opportunistic"),
            "smtp://mail.example?tls=opportunistic"
        );
    }
}
