//! Codes for a lost factor: 80 random bits each, stored as keyed digests.

use zeroize::Zeroizing;

use crate::keyring::Keyring;
use crate::random;

/// Without letters that look like digits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const CHARS: usize = 16;
const GROUP: usize = 4;
const KIND: &str = "recovery-code";

/// A fresh code, in four groups of four.
pub fn generate() -> Zeroizing<String> {
    let bytes = random::secret::<CHARS>();
    let mut code = Zeroizing::new(String::with_capacity(CHARS + CHARS / GROUP));
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            code.push('-');
        }
        code.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    code
}

/// What is stored of an account's code, and looked for; `None` for a text that has not the form of one.
pub fn digest(keyring: &Keyring, account: &str, text: &str) -> Option<String> {
    let plain: Zeroizing<String> = Zeroizing::new(
        text.chars()
            .filter(|char| !char.is_whitespace() && *char != '-')
            .map(|char| char.to_ascii_lowercase())
            .collect(),
    );
    let is_code = plain.len() == CHARS && plain.bytes().all(|byte| ALPHABET.contains(&byte));
    is_code.then(|| keyring.digest(KIND, &format!("{account} {}", plain.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::keyring;

    #[tokio::test]
    async fn a_code_is_read_however_it_is_typed() {
        let keyring = keyring().await;
        let code = generate();
        let stored = digest(&keyring, "1", &code).unwrap();
        let typed = format!(" {} ", code.replace('-', " ").to_uppercase());
        assert_eq!(digest(&keyring, "1", &typed), Some(stored.clone()));
        assert_ne!(digest(&keyring, "2", &code), Some(stored), "codes belong to an account");
        for odd in ["", "0000", "0000-0000-0000-000!", &format!("{}0", code.as_str())] {
            assert_eq!(digest(&keyring, "1", odd), None, "{odd}");
        }
    }

    #[test]
    fn codes_are_all_different() {
        let drawn: std::collections::HashSet<String> =
            (0..1_000).map(|_| generate().to_string()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(drawn.iter().all(|code| code.len() == 19));
    }
}
