//! The mail to a person whose token was stolen.

use keynest_domain::session::RefreshTokenReuseDetected;

use crate::letter::{Kind, Letter};
use crate::mailer::Mailer;
use crate::reactor::{Delivery, WorkError};

impl Mailer {
    pub(crate) async fn about_token_reuse(
        &self,
        delivery: &Delivery,
        event: &RefreshTokenReuseDetected,
    ) -> Result<Vec<Letter>, WorkError> {
        let Some(person) = self.person(event.user).await? else { return Ok(Vec::new()) };
        let facts = self.circumstances(delivery).await;
        Ok(vec![Letter { kind: Kind::TokenReuse, to: person.recipient, facts }])
    }
}
