//! Personal and service tokens: `kn_pat_` or `kn_svc_`, 43 random letters and digits, and 6 that are their checksum, so
//! that secret scanners find them and a mistyped one costs no look-up. Only a keyed digest is ever stored.

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::keyring::Keyring;
use crate::random;

/// Letters and digits, in the order of their worth in the checksum.
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 62^43 is just above 2^256.
const RANDOM_CHARS: usize = 43;
/// 62^6 is above 2^32.
const CHECKSUM_CHARS: usize = 6;
const PREFIX_CHARS: usize = 7;
/// How long every token is: nothing shorter or longer is looked at (CVE-2026-27840).
pub const BEARER_TOKEN_CHARS: usize = PREFIX_CHARS + RANDOM_CHARS + CHECKSUM_CHARS;
/// What secret scanners look for. A test compares it with what is made.
pub const BEARER_TOKEN_PATTERN: &str = r"\bkn_(?:pat|svc)_[0-9A-Za-z]{49}\b";
/// Bytes below this are used, so that each letter is equally likely.
const FAIR_BELOW: u8 = 248;

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerTokenKind {
    /// A person's.
    Personal,
    /// An organization's.
    Service,
}

impl BearerTokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Personal => "kn_pat_",
            Self::Service => "kn_svc_",
        }
    }
}

/// A new token, to be shown once.
pub fn generate(kind: BearerTokenKind) -> SecretString {
    let mut text = Zeroizing::new(String::with_capacity(BEARER_TOKEN_CHARS));
    text.push_str(kind.prefix());
    while text.len() < PREFIX_CHARS + RANDOM_CHARS {
        let bytes = random::secret::<64>();
        let fair = bytes.iter().filter(|byte| **byte < FAIR_BELOW);
        let room = PREFIX_CHARS + RANDOM_CHARS - text.len();
        text.extend(fair.take(room).map(|byte| letter(u32::from(*byte))));
    }
    let checksum = checksum(&text);
    text.push_str(&checksum);
    SecretString::from(text.as_str())
}

/// The digest that a token is stored and found by; `None` if it was not made here, which its form alone tells.
pub fn digest(keyring: &Keyring, text: &str) -> Option<String> {
    let kinds = [BearerTokenKind::Personal, BearerTokenKind::Service];
    let is_ours = text.len() == BEARER_TOKEN_CHARS
        && text.is_ascii()
        && kinds.iter().any(|kind| text.starts_with(kind.prefix()));
    if !is_ours {
        return None;
    }
    let (random, found) = text.split_at(PREFIX_CHARS + RANDOM_CHARS);
    (checksum(random) == found).then(|| keyring.digest("token", text))
}

/// The digest of a token that was just made.
pub fn digest_of_new(keyring: &Keyring, token: &SecretString) -> String {
    keyring.digest("token", token.expose_secret())
}

/// CRC-32 in base 62, the most significant first: every single wrong letter is noticed.
fn checksum(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut letters = ['0'; CHECKSUM_CHARS];
    for place in letters.iter_mut().rev() {
        *place = letter(rest);
        rest /= 62;
    }
    letters.iter().collect()
}

fn letter(number: u32) -> char {
    char::from(ALPHABET[(number % 62) as usize])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::testing::{every_damage, keyring};

    #[tokio::test]
    async fn a_token_is_found_by_its_digest_and_by_nothing_else() {
        let keyring = keyring().await;
        for kind in [BearerTokenKind::Personal, BearerTokenKind::Service] {
            let token = generate(kind);
            let text = token.expose_secret();
            assert_eq!(text.len(), BEARER_TOKEN_CHARS);
            assert_eq!(digest(&keyring, text), Some(digest_of_new(&keyring, &token)));
            for damaged in every_damage(text) {
                assert_eq!(digest(&keyring, &damaged), None, "{damaged}");
            }
        }
    }

    #[tokio::test]
    async fn every_other_character_at_every_place_is_noticed() {
        let keyring = keyring().await;
        let token = generate(BearerTokenKind::Personal);
        let text = token.expose_secret();
        for at in 0..text.len() {
            for other in ALPHABET.iter().filter(|other| **other != text.as_bytes()[at]) {
                let (before, after) = (&text[..at], &text[at + 1..]);
                let changed = format!("{before}{}{after}", char::from(*other));
                assert_eq!(digest(&keyring, &changed), None, "{changed}");
            }
        }
    }

    #[test]
    fn ten_thousand_tokens_are_all_different_and_use_the_whole_alphabet() {
        let tokens: HashSet<String> = (0..10_000)
            .map(|_| generate(BearerTokenKind::Service).expose_secret().to_owned())
            .collect();
        assert_eq!(tokens.len(), 10_000);
        let random = PREFIX_CHARS..PREFIX_CHARS + RANDOM_CHARS;
        let used: HashSet<u8> =
            tokens.iter().flat_map(|token| token.as_bytes()[random.clone()].to_vec()).collect();
        assert_eq!(used, ALPHABET.iter().copied().collect());
    }
}
