//! In how many ways a person can sign in: never none by their own doing.

use super::User;
use crate::IdentityId;

/// What of an account's ways in works now: providers come and go, and passkeys need a site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct WorkingWaysIn {
    pub identities: Vec<IdentityId>,
    pub passkeys: bool,
}

impl User {
    /// The password, each identity and each passkey. A passkey signs in alone (its holder is verified by the device).
    pub fn ways_in(&self, working: &WorkingWaysIn) -> usize {
        let identities = self.identities.iter().filter(|it| working.identities.contains(&it.id));
        let passkeys = if working.passkeys { self.factors.passkeys.len() } else { 0 };
        usize::from(self.password.is_some()) + identities.count() + passkeys
    }
}
