//! Accounts in the audit log.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::UserId;
use keynest_domain::user::Event;
use serde_json::json;

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
    let email = facts.name(Kind::User, user);
    let entry = |action, details| Entry::new(action, "user", user, details);
    let described = match event {
        Event::UserRegistered(it) => {
            let subject = Subject::User(it.user);
            let email = applied.open(keyring, subject, "email", &it.email).await?;
            facts.set(Kind::User, user, Fact { name: email.clone(), ..Fact::default() });
            // An identity provider has verified the address of whoever has no password.
            let is_open = it.password.is_some();
            let details = json!({
                "email": email, "organization_created": true, "activation_required": is_open,
            });
            entry("register", details).by_owner(account)
        }
        Event::RegistrationRepeated(_) => {
            entry("register_repeated", json!({"email": email})).about(account).outcome("refused")
        }
        Event::ActivationRequested(_) => {
            entry("activation_request", json!({"email": email})).about(account)
        }
        Event::UserActivated(_) => {
            entry("activate", json!({"email_activation": true})).by_owner(account)
        }
        Event::ProfileUpdated(_) => entry("update", json!({})).by_owner(account),
        Event::PasswordChanged(_) => {
            entry("password_change", json!({"method": "authenticated_change"})).by_owner(account)
        }
        Event::PasswordResetRequested(_) => {
            entry("password_reset_request", json!({"email": email})).about(account)
        }
        Event::PasswordReset(_) => {
            entry("password_reset_confirm", json!({"method": "email_reset"})).by_owner(account)
        }
        Event::UserDeactivated(_) => entry("deactivate", json!({})).about(account),
        Event::UserReactivated(_) => entry("reactivate", json!({})).about(account),
        Event::TokenCreated(it) => token::personal(applied, it, keyring).await?,
        Event::TokenRevoked(it) => {
            Entry::new("token_revoke", "token", it.token, json!({})).about(account)
        }
        Event::NoticesSwitched(it) => {
            entry("update", json!({"notices": it.wanted})).by_owner(account)
        }
        Event::TotpEnrolled(it) => {
            factor("factor_add", user, json!({"kind": "totp", "factor": it.factor}))
        }
        Event::PasskeyEnrolled(it) => {
            factor("factor_add", user, json!({"kind": "passkey", "factor": it.factor}))
        }
        Event::TotpUsed(it) => {
            factor("factor_use", user, json!({"kind": "totp", "factor": it.factor}))
        }
        Event::PasskeyUsed(it) => {
            factor("factor_use", user, json!({"kind": "passkey", "factor": it.factor}))
        }
        Event::FactorRemoved(it) => factor(
            "factor_remove",
            user,
            json!({"kind": it.kind.name(), "factor": it.factor, "left": it.left}),
        ),
        Event::RecoveryCodesMade(it) => {
            factor("recovery_codes_make", user, json!({"count": it.count}))
        }
        Event::RecoveryCodeUsed(it) => factor("recovery_code_use", user, json!({"left": it.left})),
        Event::DataExported(_) => entry("export", json!({})).by_owner(account),
        Event::UserErased(_) => entry("erase", json!({})).about(account),
        Event::AdministratorGranted(_) => entry("administrator_grant", json!({})).about(account),
        Event::AdministratorRevoked(_) => entry("administrator_revoke", json!({})).about(account),
        Event::IdentityLinked(it) => {
            let details = json!({"provider": it.provider.as_str(), "identity": it.identity});
            entry("identity_link", details).by_owner(account)
        }
        Event::IdentityUnlinked(it) => {
            let details = json!({"provider": it.provider.as_str(), "identity": it.identity});
            entry("identity_unlink", details).by_owner(account)
        }
        Event::ProfileSynchronised(it) => {
            entry("update", json!({"synchronised_with": it.identity})).by_owner(account)
        }
        Event::OtherSessionsEnded(_) => entry("logout_others", json!({})).by_owner(account),
        Event::NewDeviceNoticed(it) => {
            entry("new_device", json!({"session": it.session, "first": it.is_first})).about(account)
        }
        Event::PasswordRehashed(_) => entry("password_rehash", json!({})).about(account),
        Event::EmailChangeRequested(it) => {
            let wished = applied.open(keyring, subject(user), "email", &it.email).await?;
            entry("email_change_request", json!({"email": wished})).by_owner(account)
        }
        Event::EmailChangeConfirmed(it) => {
            entry("email_change_confirm", json!({"side": it.side})).by_owner(account)
        }
        Event::EmailChangeCancelled(_) => entry("email_change_cancel", json!({})).by_owner(account),
        Event::EmailChanged(it) => {
            let now = applied.open(keyring, subject(user), "email", &it.email).await?;
            facts.set(Kind::User, user, Fact { name: now.clone(), ..Fact::default() });
            entry("email_change", json!({"email": now})).by_owner(account)
        }
        Event::EmailChangeUndone(it) => {
            let now = applied.open(keyring, subject(user), "email", &it.email).await?;
            facts.set(Kind::User, user, Fact { name: now.clone(), ..Fact::default() });
            entry("email_change_undo", json!({"email": now})).by_owner(account)
        }
    };
    let has_address = described.details.get("email").is_some();
    Ok(described.opened("email", has_address.then_some(Subject::User(UserId::new(user)))))
}

/// Only the owner's proofs make these events.
fn factor(action: &'static str, user: i64, details: serde_json::Value) -> Entry {
    Entry::new(action, "user", user, details).by_owner(Some(UserId::new(user)))
}

fn subject(user: i64) -> Subject {
    Subject::User(UserId::new(user))
}
