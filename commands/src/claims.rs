//! Every name that one stream holds exclusively, in one place. Keyed digests, never the names themselves (DESIGN 3, 5).

use keynest_crypto::Keyring;
use keynest_domain::{
    Email, EnvironmentName, OrganizationId, OrganizationName, ProjectId, ProviderName, TokenId,
    UserId, Username, VariableId,
};
use keynest_store::ClaimKey;

/// An address, held by its account.
pub fn email(keyring: &Keyring, address: &Email) -> ClaimKey {
    ClaimKey::new("email", keyring.digest("email", address.as_str()))
}

/// A username, case-sensitive, held by its account.
pub fn username(keyring: &Keyring, name: &Username) -> ClaimKey {
    ClaimKey::new("username", keyring.digest("username", name.as_str()))
}

/// An organization's name among those of its creator, ignoring case, held by the organization.
pub fn organization_name(keyring: &Keyring, creator: UserId, name: &OrganizationName) -> ClaimKey {
    organization_name_text(keyring, creator, name.as_str())
}

pub(crate) fn organization_name_text(keyring: &Keyring, creator: UserId, name: &str) -> ClaimKey {
    let digest = keyring.digest("organization-name", &name.to_lowercase());
    ClaimKey::new("organization-name", format_args!("{creator}:{digest}"))
}

/// An environment's name in its project, held by the environment.
pub fn environment_name(keyring: &Keyring, project: ProjectId, name: &EnvironmentName) -> ClaimKey {
    environment_name_text(keyring, project, name.as_str())
}

pub(crate) fn environment_name_text(keyring: &Keyring, project: ProjectId, name: &str) -> ClaimKey {
    let digest = keyring.digest("environment-name", name);
    ClaimKey::new("environment-name", format_args!("{project}:{digest}"))
}

/// An address that an organization has invited, held by the organization until the invitation ends.
pub fn invitation(keyring: &Keyring, organization: OrganizationId, address: &str) -> ClaimKey {
    let digest = keyring.digest("email", address);
    ClaimKey::new("invitation", format_args!("{organization}:{digest}"))
}

/// An identity at a provider, held by the account that it signs in to. By its issuer, so that a provider that is set
/// up anew under an old name opens nobody's account.
pub fn identity(
    keyring: &Keyring,
    provider: &ProviderName,
    issuer: &str,
    subject: &str,
) -> ClaimKey {
    let digest = keyring.digest("identity", &format!("{issuer} {subject}"));
    ClaimKey::new("identity", format_args!("{provider}:{digest}"))
}

/// How the networks of a person begin.
pub(crate) fn devices(user: UserId) -> ClaimKey {
    ClaimKey::new("device", format_args!("{user}:"))
}

/// A network that a person signed in from, held by the last session that did; moves with each sign-in.
pub fn device(keyring: &Keyring, user: UserId, network: &str) -> ClaimKey {
    let digest = keyring.digest("network", network);
    ClaimKey::new("device", format_args!("{user}:{digest}"))
}

/// The number of a token or a rule, held by its owner as long as there is one: it stays findable, and is never used twice.
pub fn token(id: TokenId) -> ClaimKey {
    ClaimKey::new("token", id)
}

/// Whether it is one of those.
pub(crate) fn is_of_token(key: &ClaimKey) -> bool {
    key.as_str().starts_with("token:")
}

/// A variable's id, held by its environment for ever: ids are never used twice.
pub fn variable(id: VariableId) -> ClaimKey {
    ClaimKey::new("variable", id)
}

/// A passkey's credential id, held by the account that it signs in to.
pub fn passkey(keyring: &Keyring, credential: &[u8]) -> ClaimKey {
    let text: String = credential.iter().map(|byte| format!("{byte:02x}")).collect();
    ClaimKey::new("passkey", keyring.digest("passkey", &text))
}
