//! What providers call people, brought into one form.

use keynest_commands::federation::{ADDRESS_CHARS_MAX, Proof, SUBJECT_CHARS_MAX};
use keynest_domain::ProviderName;

use super::error::OAuthError;

/// Longest name that is kept, in characters.
const NAME_CHARS_MAX: usize = 150;
/// Longest address that is looked at.
const EMAIL_CHARS_MAX: usize = 254;

/// A person in a provider's words.
#[derive(Default)]
pub struct Person {
    pub subject: String,
    pub email: Option<String>,
    pub is_email_verified: bool,
    pub nickname: Option<String>,
    pub name: Option<String>,
    pub given_name: Option<String>,
    pub family_name: Option<String>,
    pub picture: Option<String>,
}

impl Person {
    /// As a proof; only a subject is needed.
    pub fn proof(self, provider: &ProviderName, issuer: &str) -> Result<Proof, OAuthError> {
        if self.subject.is_empty() || self.subject.chars().count() > SUBJECT_CHARS_MAX {
            return Err(OAuthError::NotValid("the subject is blank or too long".to_owned()));
        }
        let (first_name, last_name) = match (self.given_name, self.family_name) {
            (None, None) => split(self.name.as_deref().unwrap_or_default()),
            (given, family) => (given.unwrap_or_default(), family.unwrap_or_default()),
        };
        let is_web = |text: &String| {
            text.starts_with("https://") && text.len() <= ADDRESS_CHARS_MAX && text.is_ascii()
        };
        Ok(Proof {
            provider: provider.clone(),
            issuer: issuer.to_owned(),
            managed: None,
            subject: self.subject,
            is_email_verified: self.is_email_verified,
            email: self.email.filter(|text| text.len() <= EMAIL_CHARS_MAX),
            nickname: self.nickname.map(|text| cut(&text)),
            first_name: cut(&first_name),
            last_name: cut(&last_name),
            avatar_url: self.picture.filter(is_web),
        })
    }
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_CHARS_MAX).collect()
}

/// The first word, and the rest.
fn split(name: &str) -> (String, String) {
    let (first, last) = name.trim().split_once(' ').unwrap_or((name.trim(), ""));
    (first.to_owned(), last.trim().to_owned())
}
