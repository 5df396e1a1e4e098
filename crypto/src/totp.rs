//! Codes of authenticator apps (RFC 6238): 30 s, 6 digits, SHA-1, which is what every app understands.

use totp_rs::{Algorithm, Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::random;

/// Seconds of a time step.
pub const TOTP_STEP_SECONDS: u64 = 30;
/// Steps before and after the present one whose codes are right too.
pub const TOTP_SKEW: u16 = 1;
/// Digits of a code.
pub const TOTP_DIGITS: u8 = 6;
/// 160 bits, the length of the hash.
const SECRET_LEN: usize = 20;

/// The secret that an app and KeyNest share.
pub struct TotpSecret(Totp);

impl TotpSecret {
    /// A fresh one.
    pub fn generate() -> Self {
        Self(totp(Secret::new(random::secret::<SECRET_LEN>().to_vec().into_boxed_slice())))
    }

    /// Reads what [`Self::to_base32`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        (secret.as_bytes().len() == SECRET_LEN).then(|| Self(totp(secret)))
    }

    /// For people who type it, and for storage under a seal.
    pub fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.secret().to_base32())
    }

    /// For the QR code that apps scan. Parts that an `otpauth` URI cannot carry are left out.
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let plain = |text: &str| text.replace(':', " ");
        let (issuer, account) = (plain(issuer), plain(account));
        let label = format!("{}:{}", percent(&issuer), percent(&account));
        let secret = self.to_base32();
        Zeroizing::new(format!(
            "otpauth://totp/{label}?secret={}&issuer={}&algorithm=SHA1&digits={TOTP_DIGITS}&period={TOTP_STEP_SECONDS}",
            secret.as_str(),
            percent(&issuer)
        ))
    }

    /// The time step that a code belongs to, if it is one of about now. Exactly six digits; compared in constant time.
    pub fn check(&self, code: &str, seconds: u64) -> Option<u64> {
        let is_code = code.len() == usize::from(TOTP_DIGITS)
            && code.bytes().all(|byte| byte.is_ascii_digit());
        is_code.then(|| self.0.check(code, seconds)).flatten()
    }

    /// The code of a moment, as the app shows it; for tests and for nothing else.
    pub fn code_at(&self, seconds: u64) -> String {
        self.0.generate(seconds).to_string()
    }
}

/// A secret does not print.
impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

fn totp(secret: Secret) -> Totp {
    let builder = Builder::new().with_secret(secret);
    builder
        .with_algorithm(Algorithm::SHA1)
        .with_digits(TOTP_DIGITS)
        .with_skew(TOTP_SKEW)
        .with_step_duration(TOTP_STEP_SECONDS)
        .build_noncompliant()
}

/// Percent-encoding of everything but letters, digits and `-._~`.
fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the ASCII text 12345678901234567890.
    const RFC_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret::parse(RFC_SECRET).unwrap();
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.check(code, seconds), Some(seconds / 30), "{seconds}");
            assert_eq!(secret.code_at(seconds), code);
        }
    }

    #[test]
    fn a_code_is_right_one_step_early_and_one_late() {
        let secret = TotpSecret::generate();
        let code = secret.code_at(30_000);
        for (seconds, step) in
            [(29_969, None), (29_970, Some(1_000)), (30_059, Some(1_000)), (30_060, None)]
        {
            assert_eq!(secret.check(&code, seconds), step, "{seconds}");
        }
    }

    #[test]
    fn nothing_but_six_digits_is_looked_at() {
        let secret = TotpSecret::parse(RFC_SECRET).unwrap();
        for odd in
            ["", "87082", "0287082", " 287082", "287 082", "28708²", "２８７０８２", "+28708"]
        {
            assert_eq!(secret.check(odd, 59), None, "{odd}");
        }
    }

    #[test]
    fn a_secret_is_written_and_read_and_never_printed() {
        let secret = TotpSecret::generate();
        let text = secret.to_base32();
        assert_eq!(TotpSecret::parse(&text).unwrap().code_at(60), secret.code_at(60));
        assert_ne!(text, TotpSecret::generate().to_base32());
        assert_eq!(format!("{secret:?}"), "TotpSecret(..)");
        for bad in ["", "GEZDGNBV", "not base 32!"] {
            assert!(TotpSecret::parse(bad).is_none());
        }
    }

    #[test]
    fn the_uri_says_what_apps_read() {
        let uri = TotpSecret::parse(RFC_SECRET).unwrap().uri("Key:Nest", "ann+1@example.com");
        assert_eq!(
            uri.as_str(),
            "otpauth://totp/Key%20Nest:ann%2B1%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Key%20Nest&algorithm=SHA1&digits=6&period=30"
        );
    }
}
