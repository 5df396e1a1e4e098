//! Passwords: the secret type. Rules are in [`check`], hashing in [`PasswordHasher`].

use keynest_domain::Invalid;
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::{UnicodeNormalization, is_nfc};
use zeroize::Zeroizing;

mod breached;
mod hasher;
mod policy;
mod predictable;

pub use hasher::{HashError, HashParams, PasswordHasher};
pub use policy::check;

/// Fewest code points of a new password.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// The most that an instance may ask for (NIST SP 800-63B-4: 64 must be allowed).
pub const PASSWORD_CHARS_MIN_MAX: usize = 64;
/// Most bytes, before and after normalisation; never truncated.
pub const PASSWORD_BYTES_MAX: usize = 1_024;

/// A password in normal form C, so that every keyboard types the same one. Redacted in Debug, zeroed when dropped.
#[derive(Clone, Debug)]
pub struct Password(SecretString);

impl Password {
    /// A password that somebody chooses: codes `blank`, `too_short`, `too_long`. Not trimmed: blanks count.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let password = Self::presented(text)?;
        if text.is_empty() {
            return Err(Invalid::new("blank", "This field may not be blank."));
        }
        require_chars(&password, PASSWORD_CHARS_MIN)?;
        Ok(password)
    }

    /// A password that somebody signs in with: of any length up to the maximum, so that a wrong one is just wrong.
    pub fn presented(text: &str) -> Result<Self, Invalid> {
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(too_long());
        }
        let mut normal = Zeroizing::new(String::new());
        if is_nfc(text) {
            return Ok(Self(text.into()));
        }
        // Enough for any normal form, so that growing leaves no copy behind.
        normal.reserve(3 * PASSWORD_BYTES_MAX);
        normal.extend(text.nfc());
        if normal.len() > PASSWORD_BYTES_MAX {
            return Err(too_long());
        }
        Ok(Self(normal.as_str().into()))
    }

    /// Its length as people count it.
    pub fn chars(&self) -> usize {
        self.expose().chars().count()
    }

    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Refuses a password with fewer code points: an instance may ask for more than [`PASSWORD_CHARS_MIN`].
pub fn require_chars(password: &Password, chars_min: usize) -> Result<(), Invalid> {
    if password.chars() >= chars_min {
        return Ok(());
    }
    let sentence =
        format!("This password is too short. It must contain at least {chars_min} characters.");
    Err(Invalid::new("too_short", sentence))
}

fn too_long() -> Invalid {
    let sentence =
        format!("This password is too long. It may have at most {PASSWORD_BYTES_MAX} bytes.");
    Invalid::new("too_long", sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_are_counted_below_and_bytes_above() {
        assert_eq!(Password::parse("").unwrap_err().code, "blank");
        assert_eq!(Password::parse("1234567").unwrap_err().code, "too_short");
        assert_eq!(Password::parse("🔑🔑🔑🔑🔑🔑🔑").unwrap_err().code, "too_short");
        for text in
            ["12345678", "🔑🔑🔑🔑🔑🔑🔑🔑", "        ", &"🔑".repeat(64), &"x".repeat(1_024)]
        {
            assert!(Password::parse(text).is_ok(), "{text}");
        }
        assert_eq!(Password::parse(&"x".repeat(1_025)).unwrap_err().code, "too_long");
        assert_eq!(Password::presented(&"🔑".repeat(257)).unwrap_err().code, "too_long");
        assert!(Password::presented("x").is_ok());
    }

    #[test]
    fn two_keyboards_type_one_password() {
        let composed = Password::parse("Gr\u{fc}\u{df}e aus K\u{f6}ln").unwrap();
        let decomposed = Password::parse("Gru\u{308}\u{df}e aus Ko\u{308}ln").unwrap();
        assert_eq!(composed.expose(), decomposed.expose());
    }

    #[test]
    fn a_text_that_outgrows_the_limit_when_normalised_is_refused() {
        // U+0958 becomes two characters of three bytes each.
        assert_eq!(Password::parse(&"\u{958}".repeat(300)).unwrap_err().code, "too_long");
    }

    #[test]
    fn debug_does_not_show_a_password() {
        assert!(!format!("{:?}", Password::parse("hunter2hunter2").unwrap()).contains("hunter2"));
    }
}
