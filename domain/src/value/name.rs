//! Names and texts that people choose, with the limits of CONTRACT 4.3.

use std::fmt;

use super::Invalid;

/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 10_000;

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident($min:literal..=$max:literal, $allowed:expr, $why:literal)),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Trims and checks the length in characters and the characters.
            pub fn parse(text: &str) -> Result<Self, Invalid> {
                let text = checked(text, $min, $max)?;
                let allowed: fn(char) -> bool = $allowed;
                if !text.chars().all(allowed) {
                    return Err(Invalid::new("invalid_characters", $why));
                }
                Ok(Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        /// Names are sealed at rest and do not print.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )+};
}

texts! {
    /// What a person is called in the product: 3 to 150 letters, digits and underscores (CONTRACT 1.2).
    Username(3..=150, |c| c.is_ascii_alphanumeric() || c == '_', "A username has letters, digits and underscores only."),
    /// A first or last name, possibly empty.
    PersonName(0..=150, |c| !is_unprintable(c), "Control characters are not allowed."),
    /// What somebody calls a phone or a key: 1 to 64 characters.
    FactorName(1..=64, |c| !is_unprintable(c), "Control characters are not allowed."),
    /// 2 to 255 characters.
    OrganizationName(2..=255, |c| !is_unprintable(c), "Control characters are not allowed."),
    /// What a token or a rule is called: 1 to 100 characters.
    TokenName(1..=100, |c| !is_unprintable(c), "Control characters are not allowed."),
    /// 2 to 255 letters, digits, blanks, hyphens, underscores and dots.
    ProjectName(2..=255, |c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.'),
        "A project name has letters, digits, blanks, hyphens, underscores and dots only."),
}

/// 2 to 100 letters, digits, hyphens and underscores, lower-cased (CONTRACT 1.3).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EnvironmentName(String);

/// Free text, possibly long; line breaks and tabs are welcome, other control characters are not.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Description(String);

impl EnvironmentName {
    /// Trims, checks and lower-cases.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = checked(text, 2, 100)?;
        if !text.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
            return Err(Invalid::new(
                "invalid_characters",
                "An environment name has letters, digits, hyphens and underscores only.",
            ));
        }
        Ok(Self(text.to_lowercase()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EnvironmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentName(..)")
    }
}

impl Description {
    /// Checks length and characters; stored verbatim, not trimmed.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        if text.chars().count() > DESCRIPTION_MAX {
            return Err(Invalid::new(
                "too_long",
                format!("Ensure this field has no more than {DESCRIPTION_MAX} characters."),
            ));
        }
        if text.chars().any(|c| is_unprintable(c) && !matches!(c, '\n' | '\r' | '\t')) {
            return Err(Invalid::new("invalid_characters", "Control characters are not allowed."));
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Description(..)")
    }
}

/// Control characters, line separators and the marks that reorder text (THREATS A21, A37).
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn checked(text: &str, min: usize, max: usize) -> Result<&str, Invalid> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 && min > 0 {
        return Err(Invalid::new("blank", "This field may not be blank."));
    }
    if length < min {
        return Err(Invalid::new(
            "too_short",
            format!("Ensure this field has at least {min} characters."),
        ));
    }
    if length > max {
        return Err(Invalid::new(
            "too_long",
            format!("Ensure this field has no more than {max} characters."),
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_count_characters_not_bytes() {
        assert!(OrganizationName::parse(&"ü".repeat(255)).is_ok());
        assert_eq!(OrganizationName::parse(&"ü".repeat(256)).unwrap_err().code, "too_long");
        assert_eq!(OrganizationName::parse(" a ").unwrap_err().code, "too_short");
        assert_eq!(OrganizationName::parse("  ").unwrap_err().code, "blank");
    }

    #[test]
    fn names_refuse_what_could_break_a_mail_header() {
        for text in ["Acme\r\nBcc: x", "Acme\0", "Ac\u{202E}me", "Ac\u{2028}me"] {
            assert_eq!(OrganizationName::parse(text).unwrap_err().code, "invalid_characters");
        }
    }

    #[test]
    fn environment_names_are_lower_cased() {
        assert_eq!(EnvironmentName::parse("Production").unwrap().as_str(), "production");
        assert_eq!(EnvironmentName::parse("my env").unwrap_err().code, "invalid_characters");
    }
}
