//! What guessing programs try first: common words and passwords with the usual ornaments, repetitions, keyboard walks.
//! Every word of the list stands for all its spellings: case, letters as digits, a few digits or signs around it.

use std::collections::HashSet;
use std::sync::LazyLock;

/// One entry or more per line; `#` starts a comment. Where it comes from is said there.
const LIST: &str = include_str!("common_words.txt");
/// Digits and signs that are taken off before and behind a word: a year, an exclamation mark, `123!`.
const ORNAMENTS_MAX: (usize, usize) = (2, 5);
/// A unit of up to this many characters, repeated, is no password.
const REPEATED_UNIT_MAX: usize = 4;
/// More walks in a row than this are no first guess any more.
const WALKS_IN_A_ROW_MAX: usize = 3;
/// The shortest part of a walk that is taken for one.
const WALK_MIN: usize = 3;
const WALKS: [&str; 17] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik",
    "qazwsxedcrfvtgbyhnujmik",
    "zaqxswcdevfrbgtnhymju",
    "zaq1xsw2cde3vfr4bgt5nhy6mju7",
    "!@#$%^&*()",
    "q1w2e3r4t5y6u7i8o9p0",
    "147258369",
];

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| words().collect());

/// Whether a password, in lower case, is among the first guesses.
pub fn is_predictable(lower: &str) -> bool {
    let typed: Vec<char> = lower.chars().collect();
    let joined: Vec<char> = lower.chars().filter(|c| !c.is_whitespace()).collect();
    is_walk(&typed) || [typed, joined].iter().any(|chars| is_repeated(chars) || is_listed(chars))
}

fn words() -> impl Iterator<Item = &'static str> {
    LIST.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace)
}

/// A short unit again and again, or a listed word twice or more.
fn is_repeated(chars: &[char]) -> bool {
    (1..=chars.len() / 2).any(|unit| {
        let is_repetition = (unit..chars.len()).all(|at| chars[at] == chars[at - unit]);
        is_repetition && (unit <= REPEATED_UNIT_MAX || is_listed(&chars[..unit]))
    })
}

/// Runs along the keyboard or the alphabet, in either direction, one after the other.
fn is_walk(chars: &[char]) -> bool {
    let mut rest = chars;
    for _ in 0..WALKS_IN_A_ROW_MAX {
        let Some(first) = rest.first() else { break };
        let forth = WALKS.iter().map(|walk| along(walk.chars(), rest));
        let back = WALKS.iter().map(|walk| along(walk.chars().rev(), rest));
        let same = rest.iter().take_while(|c| *c == first).count();
        let longest = forth.chain(back).max().unwrap_or(0).max(same);
        if longest < WALK_MIN {
            break;
        }
        rest = &rest[longest..];
    }
    // An odd character or two at the end do not help: `qwerty12345!`.
    rest.len() < WALK_MIN && rest.len() < chars.len()
}

/// How many of the first characters are neighbours in the walk.
fn along(walk: impl Iterator<Item = char>, chars: &[char]) -> usize {
    let walk: Vec<char> = walk.collect();
    let runs = (0..walk.len()).map(|from| {
        walk[from..].iter().zip(chars).take_while(|(step, character)| step == character).count()
    });
    runs.max().unwrap_or(0)
}

/// Whether a listed word is left when ornaments are taken off, read as it is or with digits for letters.
fn is_listed(chars: &[char]) -> bool {
    let is_ornament = |c: &&char| !c.is_alphabetic();
    let before = chars.iter().take_while(is_ornament).count().min(ORNAMENTS_MAX.0);
    let behind = chars.iter().rev().take_while(is_ornament).count().min(ORNAMENTS_MAX.1);
    (0..=before).any(|from| {
        (0..=behind).any(|off| {
            let word = chars.get(from..chars.len().saturating_sub(off)).unwrap_or_default();
            let read = |one| word.iter().map(|c| letter(*c, one)).collect::<String>();
            let spelled: String = word.iter().collect();
            [spelled, read('i'), read('l')].iter().any(|word| WORDS.contains(word.as_str()))
        })
    })
}

fn letter(c: char, one: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_guesses_are_found_in_every_spelling() {
        for text in [
            "password",
            "p@ssw0rd",
            "passw0rd!",
            "password1",
            "password123!",
            "password2024",
            "1password1",
            "passwordpassword",
            "pass word",
            "letmein1",
            "trustno1",
            "iloveyou",
            "iloveyou2",
            "qwertyuiop",
            "qwerty123",
            "1q2w3e4r",
            "1qaz2wsx",
            "zaq12wsx",
            "asdfghjkl",
            "poiuytrewq",
            "abcdefgh",
            "abcd1234",
            "abc12345",
            "aaaaaaaa",
            "abcabcabc",
            "12341234a",
            "q1w2e3r4",
            "welcome1",
            "welcome2024!",
            "sunshine",
            "football1",
            "princess",
            "superman",
            "batman123",
            "changeme",
            "ch@ngeme!",
            "admin123",
            "administrator",
            "monkey123",
            "dragon12",
            "michael1",
            "liverpool",
            "summer2023",
            "winter2025!",
            "keynest1",
            "!@#$%^&*",
            "qwerty12345!",
            "00000000a",
            "test1234",
            "secret123",
            "starwars",
            "pokemon1",
            "baseball",
            "whatever",
        ] {
            assert!(is_predictable(text), "{text}");
        }
    }

    #[test]
    fn other_passwords_are_left_alone() {
        for text in [
            "correct horse battery staple",
            "aaaa bbbb cccc dd",
            "kv7#pq2m",
            "violet bicycle",
            "73xkqmzu",
            "tr0ub4dor&3x9q",
            "my dog has 3 fleas",
            "zürich im november",
            "password manager entry",
            "q9w-e7r-2zt",
            "🔑🌍🐢🎻🥨🚲🪐🧊",
        ] {
            assert!(!is_predictable(text), "{text}");
        }
    }

    #[test]
    fn the_list_is_clean_and_as_long_as_its_header_says() {
        let mut seen = HashSet::new();
        for word in words() {
            assert!(seen.insert(word), "{word} is there twice");
            assert_eq!(word, word.to_lowercase());
        }
        assert!(
            LIST.contains(&format!("# Entries: {}.", seen.len())),
            "there are {} entries",
            seen.len()
        );
    }
}
