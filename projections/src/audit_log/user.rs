//! Accounts in the audit log.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::user::factors::FactorRemoved;
use keynest_domain::user::{Event, UserRegistered};
use keynest_domain::{FactorId, IdentityId, ProviderName, Sealed, UserId};
use serde_json::{Value, json};

use super::entry::Entry;
use super::facts::{Fact, Facts, Kind};
use super::token;
use crate::error::ApplyError;
use crate::projection::Applied;

pub(crate) async fn describe(
    applied: &Applied,
    event: &Event,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Entry, ApplyError> {
    let user = applied.stream_number()?;
    let account = Some(UserId::new(user));
    let email = json!({"email": facts.name(Kind::User, user)});
    let by_owner = |action, details| Entry::new(action, "user", user, details).by_owner(account);
    let about = |action, details| Entry::new(action, "user", user, details).about(account);
    let described = match event {
        Event::UserRegistered(it) => {
            by_owner("register", registered(applied, it, facts, keyring).await?)
        }
        Event::RegistrationRepeated(_) => about("register_repeated", email).outcome("refused"),
        Event::ActivationRequested(_) => about("activation_request", email),
        Event::UserActivated(_) => by_owner("activate", json!({"email_activation": true})),
        Event::ProfileUpdated(_) => by_owner("update", json!({})),
        Event::PasswordChanged(_) => {
            by_owner("password_change", json!({"method": "authenticated_change"}))
        }
        Event::PasswordResetRequested(_) => about("password_reset_request", email),
        Event::PasswordReset(_) => {
            by_owner("password_reset_confirm", json!({"method": "email_reset"}))
        }
        Event::UserDeactivated(_) => about("deactivate", json!({})),
        Event::UserReactivated(_) => about("reactivate", json!({})),
        Event::TokenCreated(it) => token::personal(applied, it, keyring).await?,
        Event::TokenRevoked(it) => {
            Entry::new("token_revoke", "token", it.token, json!({})).about(account)
        }
        Event::NoticesSwitched(it) => by_owner("update", json!({"notices": it.wanted})),
        Event::TotpEnrolled(it) => by_owner("factor_add", factor("totp", it.factor)),
        Event::PasskeyEnrolled(it) => by_owner("factor_add", factor("passkey", it.factor)),
        Event::TotpUsed(it) => by_owner("factor_use", factor("totp", it.factor)),
        Event::PasskeyUsed(it) => by_owner("factor_use", factor("passkey", it.factor)),
        Event::FactorRemoved(it) => by_owner("factor_remove", removed(it)),
        Event::FactorsReset(it) => about("factors_reset", json!({"count": it.count})),
        Event::RecoveryCodesMade(it) => by_owner("recovery_codes_make", json!({"count": it.count})),
        Event::RecoveryCodeUsed(it) => by_owner("recovery_code_use", json!({"left": it.left})),
        Event::DataExported(_) => by_owner("export", json!({})),
        Event::UserErased(_) => about("erase", json!({})),
        Event::AdministratorGranted(_) => about("administrator_grant", json!({})),
        Event::AdministratorRevoked(_) => about("administrator_revoke", json!({})),
        Event::IdentityLinked(it) => by_owner("identity_link", identity(&it.provider, it.identity)),
        Event::IdentityUnlinked(it) => {
            by_owner("identity_unlink", identity(&it.provider, it.identity))
        }
        Event::ProfileSynchronised(it) => {
            by_owner("update", json!({"synchronised_with": it.identity}))
        }
        Event::OtherSessionsEnded(_) => by_owner("logout_others", json!({})),
        Event::NewDeviceNoticed(it) => {
            about("new_device", json!({"session": it.session, "first": it.is_first}))
        }
        Event::PasswordRehashed(_) => about("password_rehash", json!({})),
        Event::EmailChangeRequested(it) => {
            let wished = applied.open(keyring, subject(user), "email", &it.email).await?;
            by_owner("email_change_request", json!({"email": wished}))
        }
        Event::EmailChangeConfirmed(it) => {
            by_owner("email_change_confirm", json!({"side": it.side}))
        }
        Event::EmailChangeCancelled(_) => by_owner("email_change_cancel", json!({})),
        Event::EmailChanged(it) => {
            by_owner("email_change", moved(applied, &it.email, facts, keyring).await?)
        }
        Event::EmailChangeUndone(it) => {
            by_owner("email_change_undo", moved(applied, &it.email, facts, keyring).await?)
        }
    };
    let has_address = described.details.get("email").is_some();
    Ok(described.opened("email", has_address.then_some(subject(user))))
}

async fn registered(
    applied: &Applied,
    it: &UserRegistered,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Value, ApplyError> {
    let email = applied.open(keyring, Subject::User(it.user), "email", &it.email).await?;
    facts.set(Kind::User, it.user, Fact { name: email.clone(), ..Fact::default() });
    // An identity provider has verified the address of whoever has no password.
    let is_open = it.password.is_some();
    Ok(json!({"email": email, "organization_created": true, "activation_required": is_open}))
}

/// The account has another address from now on.
async fn moved(
    applied: &Applied,
    email: &Sealed,
    facts: &mut Facts,
    keyring: &Keyring,
) -> Result<Value, ApplyError> {
    let user = applied.stream_number()?;
    let now = applied.open(keyring, subject(user), "email", email).await?;
    facts.set(Kind::User, user, Fact { name: now.clone(), ..Fact::default() });
    Ok(json!({"email": now}))
}

fn factor(kind: &str, factor: FactorId) -> Value {
    json!({"kind": kind, "factor": factor})
}

fn removed(it: &FactorRemoved) -> Value {
    json!({"kind": it.kind.name(), "factor": it.factor, "left": it.left})
}

fn identity(provider: &ProviderName, identity: IdentityId) -> Value {
    json!({"provider": provider.as_str(), "identity": identity})
}

fn subject(user: i64) -> Subject {
    Subject::User(UserId::new(user))
}
