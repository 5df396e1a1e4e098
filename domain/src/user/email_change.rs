//! A change of address: its events, and what waits until both sides have said yes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::links::EMAIL_CHANGES_WINDOW;
use super::{OpenLink, User};
use crate::{FactorId, IdentityId, LinkNonce, Sealed, SessionId, Timestamp};

/// Whose link of a change of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailSide {
    /// The address that is wished for.
    New,
    /// The address of until now.
    Old,
}

/// See [`super::Event::EmailChangeRequested`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChangeRequested {
    pub email: Sealed,
    pub new_nonce: LinkNonce,
    pub old_nonce: LinkNonce,
    /// The session that will stay.
    pub kept: Option<SessionId>,
    pub expires_at: Timestamp,
    pub at: Timestamp,
}

/// See [`super::Event::EmailChangeConfirmed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChangeConfirmed {
    pub side: MailSide,
    pub at: Timestamp,
}

/// See [`super::Event::EmailChangeCancelled`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChangeCancelled {
    pub at: Timestamp,
}

/// See [`super::Event::EmailChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChanged {
    pub email: Sealed,
    /// The address of until now.
    pub previous: Sealed,
    /// For the link that takes the old address back.
    pub undo_nonce: LinkNonce,
    pub undo_until: Timestamp,
    /// The session that stays.
    pub kept: Option<SessionId>,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// See [`super::Event::EmailChangeUndone`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChangeUndone {
    pub email: Sealed,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// A change of address that waits; a link that was used is `None`.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChange {
    /// Sealed by [`super::Event::EmailChangeRequested`].
    pub email: Sealed,
    pub new_link: Option<OpenLink>,
    pub old_link: Option<OpenLink>,
    /// Cancels, used or not.
    pub old_nonce: LinkNonce,
    pub expires_at: Timestamp,
    /// The session that will stay.
    pub kept: Option<SessionId>,
    /// When it was asked for.
    pub ways: WaysIn,
}

/// The ways in of an account besides its password, when a change of address was asked for. What was added since is not
/// the owner's, should the owner say that the change was not.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct WaysIn {
    pub identities: BTreeSet<IdentityId>,
    pub factors: BTreeSet<FactorId>,
    /// The recovery codes, by their sealed digests.
    pub recovery: Option<Sealed>,
}

/// The way back to the old address.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailUndo {
    /// Sealed by [`super::Event::EmailChanged`].
    pub previous: Sealed,
    pub link: OpenLink,
    pub ways: WaysIn,
}

/// Changes of address that were asked for in a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EmailChangeCount {
    pub since: Timestamp,
    pub count: u32,
}

impl User {
    pub(super) fn set_email(&mut self, email: &Sealed, by: &'static str) {
        self.email = Some(email.clone());
        self.email_sealed_by = Some(by);
        self.email_change = None;
        // A link that was mailed to the address of until now.
        self.reset = None;
    }

    /// Whoever changed the address may know the password, or have chosen it: it opens nothing any more.
    pub(super) fn undo_email(&mut self, it: &EmailChangeUndone, by: &'static str) {
        self.email_undo = None;
        self.set_email(&it.email, by);
        self.password = None;
        self.password_sealed_by = None;
        self.rehashed_from = None;
    }

    /// The ways in that there are now.
    pub(super) fn ways(&self) -> WaysIn {
        let factors = &self.factors;
        WaysIn {
            identities: self.identities.iter().map(|identity| identity.id).collect(),
            factors: factors.totps.keys().chain(factors.passkeys.keys()).copied().collect(),
            recovery: factors.recovery.as_ref().map(|codes| codes.digests.clone()),
        }
    }

    pub(super) fn wait_for_email(&mut self, it: &EmailChangeRequested) {
        let link = |nonce| Some(OpenLink { nonce, expires_at: it.expires_at });
        // Asking again does not make what was added since the first wish older than it.
        let open = self.email_change.take().filter(|change| it.at < change.expires_at);
        let ways = open.map_or_else(|| self.ways(), |change| change.ways);
        self.email_change = Some(EmailChange {
            email: it.email.clone(),
            new_link: link(it.new_nonce),
            old_link: link(it.old_nonce),
            old_nonce: it.old_nonce,
            expires_at: it.expires_at,
            kept: it.kept,
            ways,
        });
        let counted =
            self.email_changes.filter(|counted| it.at < counted.since + EMAIL_CHANGES_WINDOW);
        let counted = counted.unwrap_or(EmailChangeCount { since: it.at, count: 0 });
        self.email_changes = Some(EmailChangeCount { count: counted.count + 1, ..counted });
    }

    pub(super) fn note_confirmation(&mut self, side: MailSide) {
        let Some(change) = &mut self.email_change else { return };
        match side {
            MailSide::New => change.new_link = None,
            MailSide::Old => change.old_link = None,
        }
    }
}
