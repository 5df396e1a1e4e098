//! E-mail addresses, in one canonical form everywhere (THREATS 1.3).

use std::fmt;

use super::Invalid;

/// Longest address, in bytes (RFC 5321 4.5.3.1.3, CONTRACT 4.3).
pub const EMAIL_BYTES_MAX: usize = 254;

/// A valid address, lower-cased, its domain in ASCII (punycode). No provider's tricks with dots or plus signs.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Email(String);

impl Email {
    /// Trims, checks and canonicalises.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let invalid = || Invalid::new("invalid", "Enter a valid email address.");
        if text.is_empty() {
            return Err(Invalid::new("blank", "This field may not be blank."));
        }
        if text.len() > EMAIL_BYTES_MAX {
            return Err(Invalid::new(
                "too_long",
                format!("Ensure this field has no more than {EMAIL_BYTES_MAX} characters."),
            ));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(invalid)?;
        if local.contains(['"', '\\'])
            || text.chars().any(char::is_control)
            || domain.ends_with('.')
        {
            return Err(invalid());
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| invalid())?;
        let address = format!("{}@{domain}", local.to_lowercase());
        let options = email_address::Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        if address.len() > EMAIL_BYTES_MAX
            || email_address::EmailAddress::parse_with_options(&address, options).is_err()
        {
            return Err(invalid());
        }
        Ok(Self(address))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Personal data does not print.
impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_of_one_address_are_one_address() {
        for text in ["Ann@Example.COM", "  ann@example.com ", "ANN@EXAMPLE.com"] {
            assert_eq!(Email::parse(text).unwrap().as_str(), "ann@example.com", "{text}");
        }
        assert_eq!(Email::parse("a@bücher.example").unwrap().as_str(), "a@xn--bcher-kva.example");
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@localhost",
            "a b@example.com",
            "ann@example.com.",
            "ann@exa mple.com",
            "a\r\nBcc: b@example.com",
            "\"a\"@example.com",
            "ann@[127.0.0.1]",
            "Ann <ann@example.com>",
        ] {
            assert!(Email::parse(text).is_err(), "{text}");
        }
        assert!(Email::parse(&format!("{}@example.com", "a".repeat(300))).is_err());
    }
}
