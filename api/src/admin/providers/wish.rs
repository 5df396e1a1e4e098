//! What an administrator writes about a provider, field by field.

use keynest_domain::provider::{
    CLIENT_ID_BYTES_MAX, CLIENT_SECRET_BYTES_MAX, ISSUER_BYTES_MAX, ORIGINS_MAX, SCOPE_BYTES_MAX,
    SCOPES_MAX, TITLE_CHARS_MAX,
};
use secrecy::SecretString;

use crate::core::given::Check;
use crate::extract::Text;
use crate::outgoing::Origin;

/// What a button says.
pub fn title(check: &mut Check, text: &Text) -> Option<String> {
    let text = text.0.trim();
    let is_fine = (1..=TITLE_CHARS_MAX).contains(&text.chars().count());
    if !is_fine || text.chars().any(char::is_control) {
        let why = format!("A name has 1 to {TITLE_CHARS_MAX} characters, none of them invisible.");
        check.fail("name", why);
        return None;
    }
    Some(text.to_owned())
}

/// The issuer as the provider writes it.
pub fn issuer(check: &mut Check, text: &Text) -> Option<String> {
    let is_fine = text.0.len() <= ISSUER_BYTES_MAX && text.0.chars().all(|c| c.is_ascii_graphic());
    let url = url::Url::parse(&text.0).ok().filter(|_| is_fine);
    let is_plain = url.is_some_and(|url| {
        Origin::of(&url).is_some() && url.query().is_none() && url.fragment().is_none()
    });
    if !is_plain {
        check.fail("issuer", "An issuer is a web address without a query.");
        return None;
    }
    Some(text.0.clone())
}

/// What the provider calls this application.
pub fn client_id(check: &mut Check, text: &Text) -> Option<String> {
    if !is_visible(&text.0, CLIENT_ID_BYTES_MAX) {
        let why = format!("A client id has 1 to {CLIENT_ID_BYTES_MAX} visible ASCII characters.");
        check.fail("client_id", why);
        return None;
    }
    Some(text.0.clone())
}

/// What proves that it is this application. Never told again.
pub fn client_secret(check: &mut Check, text: &Text) -> Option<SecretString> {
    if !is_visible(&text.0, CLIENT_SECRET_BYTES_MAX) {
        let why =
            format!("A client secret has 1 to {CLIENT_SECRET_BYTES_MAX} visible ASCII characters.");
        check.fail("client_secret", why);
        return None;
    }
    Some(SecretString::from(text.0.as_str()))
}

/// What is asked for (RFC 6749, section 3.3).
pub fn scopes(check: &mut Check, texts: &[Text]) -> Option<Vec<String>> {
    let is_token = |text: &Text| {
        let is_fine = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        (1..=SCOPE_BYTES_MAX).contains(&text.0.len()) && text.0.chars().all(is_fine)
    };
    if texts.is_empty() || texts.len() > SCOPES_MAX || !texts.iter().all(is_token) {
        check.fail("scopes", format!("Give 1 to {SCOPES_MAX} scopes without spaces."));
        return None;
    }
    Some(texts.iter().map(|text| text.0.clone()).collect())
}

/// Hosts besides the issuer's that its document may name, in their one spelling.
pub fn origins(check: &mut Check, texts: &[Text]) -> Option<Vec<String>> {
    let parsed: Result<Vec<Origin>, _> = texts.iter().map(|text| text.0.parse()).collect();
    match parsed {
        Ok(origins) if origins.len() <= ORIGINS_MAX => {
            Some(origins.iter().map(|it| it.as_str().to_owned()).collect())
        }
        Ok(_) | Err(_) => {
            let why = format!("Give at most {ORIGINS_MAX} origins like https://login.example.com.");
            check.fail("origins", why);
            None
        }
    }
}

fn is_visible(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}
