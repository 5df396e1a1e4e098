//! Which passwords are refused: common and breached ones, digits only, those made of the account's own words. No
//! composition rules (NIST SP 800-63B-4); every refusal has its reason.

use keynest_domain::Invalid;
use zeroize::Zeroizing;

use super::Password;
use super::breached::is_breached;
use super::predictable::is_predictable;

/// A context word shorter than this is in too many passwords by chance.
const CONTEXT_CHARS_MIN: usize = 3;
/// What everybody here thinks of first.
const PRODUCT_WORDS: [&str; 1] = ["keynest"];
/// Characters of a context word that are looked at, which bounds the work.
const CONTEXT_CHARS_MAX: usize = 256;
/// From this share of common characters on, in percent, a password is too similar to a word.
const SIMILARITY_PERCENT: usize = 70;

/// Refuses a chosen password with one of the codes `entirely_numeric`, `too_common`, `too_similar`. `context` are the
/// account's words: username, address, names, organizations.
pub fn check(password: &Password, context: &[&str]) -> Result<(), Invalid> {
    let lower = Zeroizing::new(password.expose().to_lowercase());
    if lower.chars().all(char::is_numeric) {
        return Err(Invalid::new("entirely_numeric", "This password is entirely numeric."));
    }
    if is_breached(&lower) || is_predictable(&lower) {
        return Err(Invalid::new("too_common", "This password is too common."));
    }
    if PRODUCT_WORDS.iter().chain(context).any(|word| is_similar(&lower, word)) {
        let sentence = "The password is too similar to your personal information.";
        return Err(Invalid::new("too_similar", sentence));
    }
    Ok(())
}

/// Whether the password is mostly the word, or mostly a part of it (`ann.lee` and `example` of `ann.lee@example.com`).
fn is_similar(password: &str, context: &str) -> bool {
    let context = context.to_lowercase();
    let parts = context.split(|c: char| !c.is_alphanumeric());
    // `zephyrinetidewater` of `Zephyrine Tidewater`.
    let joined: String = context.chars().filter(|c| c.is_alphanumeric()).collect();
    [context.as_str(), &joined].into_iter().chain(context.split('@')).chain(parts).any(|part| {
        let part: Vec<char> = part.chars().take(CONTEXT_CHARS_MAX).collect();
        let password: Vec<char> = password.chars().collect();
        let both = part.len() + password.len();
        part.len() >= CONTEXT_CHARS_MIN
            && 200 * longest_common(&part, &password) >= SIMILARITY_PERCENT * both
    })
}

/// Length of the longest run of characters that both have.
fn longest_common(a: &[char], b: &[char]) -> usize {
    let mut longest = 0;
    let mut runs = vec![0; b.len() + 1];
    for of_a in a {
        for at in (0..b.len()).rev() {
            runs[at + 1] = if b[at] == *of_a { runs[at] + 1 } else { 0 };
            longest = longest.max(runs[at + 1]);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, context: &[&str]) -> &'static str {
        let password = Password::parse(text).unwrap();
        check(&password, context).map_or_else(|refusal| refusal.code, |()| "good")
    }

    #[test]
    fn each_refusal_has_its_reason() {
        for (text, code) in [
            ("password", "too_common"),
            ("PassWord", "too_common"),
            ("73920184659", "entirely_numeric"),
            ("٧٣٩٢٠١٨٤", "entirely_numeric"),
            ("annlee77", "too_similar"),
            ("AnnLee_77", "too_similar"),
            ("ann.lee@example.com", "too_similar"),
            ("example99", "too_similar"),
            ("MyKeyNest", "too_similar"),
            ("friend of emily", "too_common"),
            ("FRIEND of Emily", "too_common"),
            ("aaaa bbbb cccc dd", "good"),
            ("correct horse battery staple", "good"),
            ("kV7#pQ2m", "good"),
            ("ann likes her violet bicycle", "good"),
        ] {
            assert_eq!(verdict(text, &["annlee", "ann.lee@example.com"]), code, "{text}");
        }
    }

    #[test]
    fn short_and_empty_words_of_context_forbid_nothing() {
        assert_eq!(verdict("kV7#pQ2m", &["", "k", "kV", "@", "..."]), "good");
    }

    #[test]
    fn the_longest_password_and_word_are_compared_quickly() {
        assert_eq!(verdict(&"xy7 ".repeat(256), &[&"z".repeat(100_000)]), "too_common");
    }
}
