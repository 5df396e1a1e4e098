//! What happens after an event: the feed, reactors with effects, mails, the janitor.

mod access;
mod attempt;
mod backoff;
mod consumer;
mod destroyed_keys;
mod effects;
mod environment;
mod feed;
mod gauges;
mod janitor;
mod key_ledger;
mod lead;
mod letter;
mod mailbox;
mod mailer;
mod message;
mod nats;
mod organization;
mod people;
mod project;
mod reactor;
mod render;
mod session;
mod smtp;
mod transport;
mod user;
mod work;

pub use backoff::WAITS;
pub use consumer::{Consumer, ConsumerError, HANDLE_MAX};
pub use destroyed_keys::{
    DAY_KEYS_KEPT, DestroyedKeysError, FAREWELL_KEPT, apply_ledger,
    follow as follow_destroyed_keys, note_in_ledger,
};
pub use effects::{Begun, Effects};
pub use feed::Feed;
pub use janitor::{Janitor, JanitorSettings};
pub use key_ledger::{DestroyedKey, KeyLedger, LedgerError};
pub use mailbox::{MAILS_MAX_DEFAULT, Mailbox, StoredMail};
pub use mailer::{MAILER, Mailer, MailerSettings};
pub use nats::{JetStream, NatsError, NatsSettings, RELAY, Relay};
pub use reactor::{Delivery, Reactor, WorkError};
pub use smtp::{SmtpError, SmtpLimits};
pub use transport::Transport;
pub use work::{DEAD_LETTERS_MAX, Work, WorkTable};
