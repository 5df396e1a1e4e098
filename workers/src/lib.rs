//! What happens after an event: the feed, reactors with effects, mails, the janitor.

mod backoff;
mod consumer;
mod effects;
mod environment;
mod feed;
mod janitor;
mod letter;
mod mailbox;
mod mailer;
mod organization;
mod people;
mod project;
mod reactor;
mod render;
mod session;
mod transport;
mod user;
mod work;

pub use consumer::{Consumer, ConsumerError};
pub use feed::{Feed, Following};
pub use janitor::{Janitor, JanitorSettings};
pub use mailbox::{MAILS_MAX_DEFAULT, Mailbox, StoredMail};
pub use mailer::{Mailer, MailerSettings};
pub use reactor::{Delivery, Reactor, WorkError};
pub use transport::{SmtpError, SmtpLimits, Transport};
pub use work::{Work, WorkTable};
