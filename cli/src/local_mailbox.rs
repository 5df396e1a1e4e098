//! The development mailbox, which the workers keep, as the API shows it. The API's tests use this file as well.

use keynest_api::{DevMail, DevMailbox, MailboxError};
use keynest_workers::{Mailbox, StoredMail};

/// The mailbox of this installation, for the pages of the API.
pub struct LocalMailbox(pub Mailbox);

#[async_trait::async_trait]
impl DevMailbox for LocalMailbox {
    async fn list(
        &self,
        recipient: Option<&str>,
        limit: i64,
    ) -> Result<Vec<DevMail>, MailboxError> {
        let mails =
            self.0.list(recipient, limit).await.map_err(|error| MailboxError(error.into()))?;
        Ok(mails.into_iter().map(shown).collect())
    }

    async fn get(&self, id: i64) -> Result<Option<DevMail>, MailboxError> {
        Ok(self.0.get(id).await.map_err(|error| MailboxError(error.into()))?.map(shown))
    }
}

fn shown(mail: StoredMail) -> DevMail {
    DevMail {
        id: mail.id,
        sent_at: mail.sent_at,
        recipient: mail.recipient,
        subject: mail.subject,
        text: mail.body_text,
        html: mail.body_html,
    }
}
