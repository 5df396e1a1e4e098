//! An account's second factors: authenticator apps, passkeys, and the codes for when they are lost (RFC 6238, WebAuthn).

pub mod enrol;
pub mod prove;
pub mod remove;
pub mod reset;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::session::SecondFactor;
use crate::{FactorId, Sealed, Timestamp};

/// Apps and passkeys of one account.
pub const FACTORS_MAX: usize = 10;
/// Recovery codes that are made at a time.
pub const RECOVERY_CODES: u8 = 10;

/// See [`super::Event::TotpEnrolled`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TotpEnrolled {
    pub factor: FactorId,
    pub name: Sealed,
    /// The shared secret, in base 32.
    pub secret: Sealed,
    /// The time step of the code that confirmed it, which is used up.
    pub step: u64,
    pub at: Timestamp,
}

/// See [`super::Event::TotpUsed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct TotpUsed {
    pub factor: FactorId,
    /// This time step and all before it are used up.
    pub step: u64,
    pub at: Timestamp,
}

/// See [`super::Event::PasskeyEnrolled`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasskeyEnrolled {
    pub factor: FactorId,
    pub name: Sealed,
    /// Credential id and public key, as the ceremony made them.
    pub credential: Sealed,
    /// The authenticator's signature counter; 0 for ever where it has none.
    pub counter: u32,
    pub at: Timestamp,
}

/// See [`super::Event::PasskeyUsed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct PasskeyUsed {
    pub factor: FactorId,
    pub counter: u32,
    pub at: Timestamp,
}

/// See [`super::Event::RecoveryCodesMade`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RecoveryCodesMade {
    /// Keyed digests of the codes, one per line.
    pub digests: Sealed,
    pub count: u8,
    pub at: Timestamp,
}

/// See [`super::Event::RecoveryCodeUsed`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RecoveryCodeUsed {
    /// Its line.
    pub slot: u8,
    /// Codes that are left.
    pub left: u8,
    pub at: Timestamp,
}

/// See [`super::Event::FactorRemoved`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct FactorRemoved {
    pub factor: FactorId,
    /// `totp` or `passkey`.
    pub kind: SecondFactor,
    /// Factors that are left; with none the recovery codes are gone too.
    pub left: u8,
    pub at: Timestamp,
}

/// See [`super::Event::FactorsReset`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct FactorsReset {
    /// Factors that were taken away; the recovery codes went with them.
    pub count: u8,
    /// The credential epoch from now on.
    pub epoch: u32,
    pub at: Timestamp,
}

/// An authenticator app.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Totp {
    pub name: Sealed,
    pub secret: Sealed,
    /// The newest time step that was used; it and all before it are refused.
    pub used_step: u64,
}

/// A passkey.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Passkey {
    pub name: Sealed,
    pub credential: Sealed,
    pub counter: u32,
}

/// The codes for a lost factor.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct RecoveryCodes {
    pub digests: Sealed,
    pub count: u8,
    /// One bit per line.
    pub used: u32,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Factors {
    pub totps: BTreeMap<FactorId, Totp>,
    pub passkeys: BTreeMap<FactorId, Passkey>,
    pub recovery: Option<RecoveryCodes>,
}

impl RecoveryCodes {
    /// Whether the code of this line was not used yet.
    pub fn is_open(&self, slot: u8) -> bool {
        slot < self.count && self.used & (1 << slot) == 0
    }

    /// Codes that are left.
    pub fn left(&self) -> u8 {
        self.count - u8::try_from(self.used.count_ones()).unwrap_or(self.count)
    }
}

impl Factors {
    /// Whether signing in asks for more than the first factor.
    pub fn is_on(&self) -> bool {
        self.count() > 0
    }

    /// Apps and passkeys.
    pub fn count(&self) -> usize {
        self.totps.len() + self.passkeys.len()
    }

    /// What answers the question for the second factor.
    pub fn kinds(&self) -> Vec<SecondFactor> {
        let has_codes = self.recovery.as_ref().is_some_and(|codes| codes.left() > 0);
        [
            (!self.totps.is_empty(), SecondFactor::Totp),
            (!self.passkeys.is_empty(), SecondFactor::Passkey),
            (has_codes, SecondFactor::RecoveryCode),
        ]
        .into_iter()
        .filter_map(|(is_there, kind)| is_there.then_some(kind))
        .collect()
    }

    pub(super) fn totp_enrolled(&mut self, it: &TotpEnrolled) {
        let (name, secret) = (it.name.clone(), it.secret.clone());
        self.totps.insert(it.factor, Totp { name, secret, used_step: it.step });
    }

    pub(super) fn totp_used(&mut self, it: &TotpUsed) {
        if let Some(totp) = self.totps.get_mut(&it.factor) {
            totp.used_step = it.step;
        }
    }

    pub(super) fn passkey_enrolled(&mut self, it: &PasskeyEnrolled) {
        let (name, credential) = (it.name.clone(), it.credential.clone());
        self.passkeys.insert(it.factor, Passkey { name, credential, counter: it.counter });
    }

    pub(super) fn passkey_used(&mut self, it: &PasskeyUsed) {
        if let Some(passkey) = self.passkeys.get_mut(&it.factor) {
            passkey.counter = it.counter;
        }
    }

    pub(super) fn recovery_codes_made(&mut self, it: &RecoveryCodesMade) {
        let (digests, count) = (it.digests.clone(), it.count);
        self.recovery = Some(RecoveryCodes { digests, count, used: 0 });
    }

    pub(super) fn recovery_code_used(&mut self, it: &RecoveryCodeUsed) {
        if let Some(codes) = &mut self.recovery {
            codes.used |= 1 << it.slot;
        }
    }

    pub(super) fn removed(&mut self, it: &FactorRemoved) {
        self.totps.remove(&it.factor);
        self.passkeys.remove(&it.factor);
        if !self.is_on() {
            self.recovery = None;
        }
    }
}

#[cfg(test)]
mod samples {
    //! The facts that the tests of this folder start from.

    use uuid::Uuid;

    use super::*;
    use crate::user::Event;
    use crate::user::samples::{at, sealed};

    pub const APP: FactorId = FactorId::new(Uuid::from_u128(1));
    pub const KEY: FactorId = FactorId::new(Uuid::from_u128(2));

    pub fn app_enrolled() -> Event {
        let (name, secret) = (sealed("phone"), sealed("secret"));
        TotpEnrolled { factor: APP, name, secret, step: 10, at: at(10) }.into()
    }

    pub fn key_enrolled() -> Event {
        let (name, credential) = (sealed("key"), sealed("credential"));
        PasskeyEnrolled { factor: KEY, name, credential, counter: 5, at: at(11) }.into()
    }

    pub fn codes_made() -> Event {
        RecoveryCodesMade { digests: sealed("digests"), count: RECOVERY_CODES, at: at(10) }.into()
    }
}
