//! A username for somebody who was never asked for one.

use keynest_domain::Username;

use super::proof::Proof;
use crate::{CommandError, Unit, claims};

/// Usernames with a number that are tried before one with a long number is taken.
const NUMBERED_MAX: u32 = 9;
/// Characters of the provider's name for the person that are kept, so that a number fits behind.
const STEM_CHARS_MAX: usize = 100;

impl Proof {
    /// The nickname or the address's local part, in the characters that a username has.
    fn stem(&self) -> String {
        let local = self.email.as_deref().and_then(|email| email.split('@').next());
        let wanted = self.nickname.as_deref().or(local).unwrap_or_default();
        let kept = wanted.chars().map(|c| if matches!(c, '-' | '.' | ' ') { '_' } else { c });
        let kept = kept.filter(|c| c.is_ascii_alphanumeric() || *c == '_');
        let stem: String = kept.take(STEM_CHARS_MAX).collect();
        if stem.len() < 3 { format!("user_{stem}") } else { stem }
    }

    /// The first that nobody has. Two at once are told apart by the claim.
    pub(super) async fn free_username(&self, unit: &Unit<'_>) -> Result<Username, CommandError> {
        let stem = self.stem();
        let numbered = (2..=NUMBERED_MAX).map(|number| format!("{stem}{number}"));
        let last = format!("{stem}_{}", unit.commands().clock().integer_id());
        for text in [stem.clone()].into_iter().chain(numbered).chain([last]) {
            let name = Username::parse(&text)
                .map_err(|why| CommandError::Field { field: "username", why })?;
            let claim = claims::username(unit.commands().keyring(), &name);
            if unit.resolve(&claim).await?.is_none() {
                return Ok(name);
            }
        }
        Err(CommandError::Busy("usernames"))
    }
}

#[cfg(test)]
mod tests {
    use keynest_domain::ProviderName;

    use super::*;

    fn stem(nickname: Option<&str>, email: Option<&str>) -> String {
        let proof = Proof {
            provider: ProviderName::parse("google").unwrap(),
            managed: None,
            issuer: String::new(),
            subject: String::new(),
            email: email.map(str::to_owned),
            is_email_verified: true,
            nickname: nickname.map(str::to_owned),
            first_name: String::new(),
            last_name: String::new(),
            avatar_url: None,
        };
        proof.stem()
    }

    #[test]
    fn a_stem_is_always_a_username() {
        assert_eq!(stem(Some("octo-cat"), Some("x@example.com")), "octo_cat");
        assert_eq!(stem(None, Some("ann.smith+news@example.com")), "ann_smithnews");
        assert_eq!(stem(None, Some("é@example.com")), "user_");
        assert_eq!(stem(None, None), "user_");
        let long = "a".repeat(500);
        for text in ["a", "", "<script>", "日本", &long] {
            assert!(Username::parse(&stem(Some(text), None)).is_ok(), "{text}");
        }
    }
}
