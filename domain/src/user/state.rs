//! What the rules of an account read, folded from its events.

use std::collections::BTreeMap;

use super::*;
use crate::limits::keep_time;

/// Where an account stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Not registered.
    #[default]
    Absent,
    /// Registered, the address not confirmed.
    Inactive,
    /// Good for sign-in.
    Active,
    /// Closed by an administrator or by its owner.
    Deactivated,
    /// Gone for good; only the number is left.
    Erased,
}

/// The state that rules read.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct User {
    pub id: Option<UserId>,
    pub standing: Standing,
    pub was_activated: bool,
    pub username: Option<Sealed>,
    pub email: Option<Sealed>,
    /// The event that sealed the address, a part of its context.
    pub email_sealed_by: Option<&'static str>,
    pub email_change: Option<EmailChange>,
    pub email_undo: Option<EmailUndo>,
    pub email_changes: Option<EmailChangeCount>,
    pub first_name: Option<Sealed>,
    pub last_name: Option<Sealed>,
    /// The event that sealed the two names, a part of their context.
    pub names_sealed_by: Option<&'static str>,
    pub password: Option<Sealed>,
    /// The event that sealed the password, a part of its context.
    pub password_sealed_by: Option<&'static str>,
    /// The weaker hash of the same password, for whoever was compared with it a moment ago.
    pub rehashed_from: Option<Sealed>,
    pub activation: Option<OpenLink>,
    pub reset: Option<OpenLink>,
    /// Rises whenever every session must end; sessions remember the one they began with.
    pub epoch: u32,
    /// The session that outlives the last rise.
    pub kept: Option<SessionId>,
    /// When strangers last caused a mail of each kind.
    pub repeated_at: Option<Timestamp>,
    pub activation_requested_at: Option<Timestamp>,
    pub reset_requested_at: Option<Timestamp>,
    /// When links were asked for in the last day.
    pub activation_times: Vec<Timestamp>,
    pub reset_times: Vec<Timestamp>,
    pub refuses_notices: bool,
    /// Personal tokens that were not ended. Taking an account back ends all that it had: a reset
    /// password, an undone change of address; so does closing it.
    pub tokens: BTreeMap<TokenId, LivingToken>,
    pub is_administrator: bool,
    /// Accounts at identity providers that sign in to this one, in the order in which they were linked.
    pub identities: Vec<Identity>,
    /// Whether the names follow an identity provider's, because the person never chose others.
    pub names_follow: bool,
    pub factors: factors::Factors,
    pub has_signed_in: bool,
}

impl Aggregate for User {
    type Id = UserId;
    type Event = Event;
    const CATEGORY: &'static str = "user";

    fn evolve(mut self, event: &Event) -> Self {
        let name = event.name();
        match event {
            Event::UserRegistered(it) => self.register(it, name),
            Event::RegistrationRepeated(it) => self.repeated_at = Some(it.at),
            Event::ActivationRequested(it) => {
                self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.activation_requested_at = Some(it.at);
                keep_time(&mut self.activation_times, it.at);
            }
            Event::UserActivated(_) => self.activate(),
            Event::ProfileUpdated(it) => self.set_names(it, name),
            Event::PasswordChanged(it) => {
                self.set_password(&it.password, name);
            }
            Event::PasswordResetRequested(it) => {
                self.reset = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
                self.reset_requested_at = Some(it.at);
                keep_time(&mut self.reset_times, it.at);
            }
            Event::PasswordReset(it) => {
                self.set_password(&it.password, name);
            }
            Event::UserDeactivated(_) => self.deactivate(),
            Event::UserReactivated(_) => {
                self.standing =
                    if self.was_activated { Standing::Active } else { Standing::Inactive };
            }
            Event::DataExported(_) | Event::OtherSessionsEnded(_) => {}
            Event::UserErased(it) => self = self.erased(it),
            Event::TokenCreated(it) => self.add_token(it),
            Event::TokenRevoked(it) => {
                self.tokens.remove(&it.token);
            }
            Event::NoticesSwitched(it) => self.refuses_notices = !it.wanted,
            Event::TotpEnrolled(it) => self.factors.totp_enrolled(it),
            Event::TotpUsed(it) => self.factors.totp_used(it),
            Event::PasskeyEnrolled(it) => self.factors.passkey_enrolled(it),
            Event::PasskeyUsed(it) => self.factors.passkey_used(it),
            Event::RecoveryCodesMade(it) => self.factors.recovery_codes_made(it),
            Event::RecoveryCodeUsed(it) => self.factors.recovery_code_used(it),
            Event::FactorRemoved(it) => self.factors.removed(it),
            Event::FactorsReset(_) => self.factors = factors::Factors::default(),
            Event::AdministratorGranted(_) => self.is_administrator = true,
            Event::AdministratorRevoked(_) => self.is_administrator = false,
            Event::IdentityLinked(it) => self = link_identity::evolve(self, it),
            Event::IdentityUnlinked(it) => self = unlink_identity::evolve(self, it),
            Event::ProfileSynchronised(it) => self = synchronise_profile::evolve(self, it, name),
            Event::NewDeviceNoticed(_) => self.has_signed_in = true,
            Event::PasswordRehashed(it) => {
                self.rehashed_from = self.password.replace(it.password.clone());
                self.password_sealed_by = Some(name);
            }
            Event::EmailChangeRequested(it) => self.wait_for_email(it),
            Event::EmailChangeConfirmed(it) => self.note_confirmation(it.side),
            Event::EmailChangeCancelled(_) => self.email_change = None,
            Event::EmailChanged(it) => self.change_email(it, name),
            Event::EmailChangeUndone(it) => self.undo_email(it, name),
        }
        if let Some(ends) = event.ends() {
            self.end(ends);
        }
        self
    }
}

impl User {
    /// Whether sessions and access tokens of a credential epoch are still good.
    pub fn honours(&self, session: SessionId, epoch: u32) -> bool {
        self.standing == Standing::Active && (epoch >= self.epoch || self.kept == Some(session))
    }

    /// An identity by its id.
    pub fn identity(&self, id: IdentityId) -> Option<&Identity> {
        self.identities.iter().find(|known| known.id == id)
    }

    /// The activation link, until it is used.
    pub fn open_activation(&self) -> Option<OpenLink> {
        self.activation.filter(|_| self.standing == Standing::Inactive)
    }

    /// Refuses everybody who may not act.
    pub fn require_active(&self) -> Result<(), Rejection> {
        match self.standing {
            Standing::Active => Ok(()),
            Standing::Absent => Err(Rejection::Absent),
            Standing::Inactive => Err(Rejection::Inactive),
            Standing::Deactivated => Err(Rejection::Deactivated),
            Standing::Erased => Err(Rejection::Erased),
        }
    }

    /// Whether a password that was found right for a stored hash is the password of now.
    pub fn is_proved_by(&self, verified: Option<&Sealed>) -> bool {
        verified.is_some()
            && (verified == self.password.as_ref() || verified == self.rehashed_from.as_ref())
    }

    fn register(&mut self, it: &UserRegistered, name: &'static str) {
        self.id = Some(it.user);
        self.standing = Standing::Inactive;
        self.username = Some(it.username.clone());
        self.email = Some(it.email.clone());
        self.email_sealed_by = Some(name);
        self.first_name = Some(it.first_name.clone());
        self.last_name = Some(it.last_name.clone());
        self.names_sealed_by = Some(name);
        self.password = it.password.clone();
        self.password_sealed_by = it.password.as_ref().map(|_| name);
        self.names_follow = it.password.is_none();
        self.activation = Some(OpenLink { nonce: it.nonce, expires_at: it.expires_at });
    }

    fn activate(&mut self) {
        self.standing = Standing::Active;
        self.was_activated = true;
        // Whoever linked them had not proved the address (DESIGN 11).
        self.identities.clear();
        // Whoever registered need not be the address's owner: nothing but the password outlives the proof.
        self.factors = factors::Factors::default();
        self.email_change = None;
        self.email_undo = None;
        self.tokens.clear();
    }

    fn set_names(&mut self, it: &ProfileUpdated, name: &'static str) {
        self.first_name = Some(it.first_name.clone());
        self.last_name = Some(it.last_name.clone());
        self.names_sealed_by = Some(name);
        self.names_follow = false;
    }

    fn deactivate(&mut self) {
        self.standing = Standing::Deactivated;
        self.reset = None;
        self.email_change = None;
    }

    fn end(&mut self, ends: Ends) {
        self.epoch = ends.epoch;
        self.kept = ends.kept;
        if ends.tokens {
            self.tokens.clear();
        }
    }

    fn add_token(&mut self, it: &TokenCreated) {
        let &TokenCreated { token, expires_at, is_two_factor, at, .. } = it;
        self.tokens.retain(|_, known| known.expires_at > at);
        self.tokens.insert(token, LivingToken { expires_at, is_two_factor });
    }

    fn change_email(&mut self, it: &EmailChanged, name: &'static str) {
        let link = OpenLink { nonce: it.undo_nonce, expires_at: it.undo_until };
        let asked = self.email_change.take().map(|change| change.ways);
        let ways = asked.unwrap_or_else(|| self.ways());
        self.email_undo = Some(EmailUndo { previous: it.previous.clone(), link, ways });
        self.set_email(&it.email, name);
    }

    /// Whatever a later feature adds to the state is wiped as well.
    fn erased(self, it: &UserErased) -> Self {
        Self { id: self.id, standing: Standing::Erased, epoch: it.epoch, ..Self::default() }
    }

    fn set_password(&mut self, password: &Sealed, by: &'static str) {
        self.password = Some(password.clone());
        self.password_sealed_by = Some(by);
        self.rehashed_from = None;
        self.reset = None;
        self.email_change = None;
    }
}
