//! The development mailbox: mails that stay here because no SMTP server is configured.

use keynest_domain::Timestamp;
use sqlx::PgPool;
use time::OffsetDateTime;

/// Mails kept when the configuration does not say; older ones are dropped.
pub const MAILS_MAX_DEFAULT: u32 = 1_000;

/// A mail as it would have been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct StoredMail {
    pub id: i64,
    pub message_id: String,
    pub sent_at: Timestamp,
    pub kind: String,
    pub recipient: String,
    pub subject: String,
    pub body_text: String,
    pub body_html: String,
}

/// The table, on the durable pool.
#[derive(Clone)]
pub struct Mailbox {
    pool: PgPool,
    mails_max: u32,
}

impl Mailbox {
    /// On the `store` pool; keeps so many mails.
    pub fn new(pool: PgPool, mails_max: u32) -> Self {
        Self { pool, mails_max }
    }

    /// Keeps a mail once per message id, and drops the oldest beyond the limit.
    pub async fn keep(&self, mail: &StoredMail) -> Result<(), sqlx::Error> {
        sqlx::query!(
            "insert into mailbox (message_id, sent_at, kind, recipient, subject, body_text, body_html)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (message_id) do nothing",
            mail.message_id,
            OffsetDateTime::from(mail.sent_at),
            mail.kind,
            mail.recipient,
            mail.subject,
            mail.body_text,
            mail.body_html,
        )
        .execute(&self.pool)
        .await?;
        sqlx::query!(
            "delete from mailbox where id <= (select id from mailbox order by id desc offset $1 limit 1)",
            i64::from(self.mails_max)
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// The newest mails first, to one address or to all.
    pub async fn list(
        &self,
        recipient: Option<&str>,
        limit: i64,
    ) -> Result<Vec<StoredMail>, sqlx::Error> {
        sqlx::query_as!(
            StoredMail,
            "select id, message_id, sent_at, kind, recipient, subject, body_text, body_html from mailbox
             where $1::text is null or recipient = $1 order by id desc limit $2",
            recipient,
            limit,
        )
        .fetch_all(&self.pool)
        .await
    }

    /// One mail.
    pub async fn get(&self, id: i64) -> Result<Option<StoredMail>, sqlx::Error> {
        sqlx::query_as!(
            StoredMail,
            "select id, message_id, sent_at, kind, recipient, subject, body_text, body_html from mailbox where id = $1",
            id,
        )
        .fetch_optional(&self.pool)
        .await
    }
}
