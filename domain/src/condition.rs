//! What the claims of another issuer's token must say before a service may act on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// Conditions of one rule, at most.
pub const CONDITIONS_MAX: usize = 20;
/// Longest claim name and longest pattern, in bytes.
pub const CONDITION_BYTES_MAX: usize = 256;
/// The claim that every rule must narrow: without it a public issuer would let everybody in.
pub const SUBJECT: &str = "sub";

/// The texts of a token's claims. Numbers and flags count as their JSON text; lists and objects satisfy no condition.
pub type Claims = BTreeMap<String, String>;

/// One claim and the pattern that it must match as a whole. `*` stands for any characters but `/` and `:`, which separate
/// what issuers put into one claim; `**` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Condition {
    pub claim: String,
    pub pattern: String,
}

enum Piece {
    Exactly(char),
    Segment,
    Anything,
}

impl Condition {
    /// Whether these claims satisfy it.
    pub fn holds(&self, claims: &Claims) -> bool {
        claims.get(&self.claim).is_some_and(|text| matches(&self.pattern, text))
    }
}

/// Refuses rules that would let in more than anybody means: each needs a pattern for `sub` that begins with plain text.
pub fn check(conditions: &[Condition]) -> Result<(), Invalid> {
    if conditions.len() > CONDITIONS_MAX {
        let text = format!("A rule has at most {CONDITIONS_MAX} conditions.");
        return Err(Invalid::new("too_many", text));
    }
    for condition in conditions {
        let texts = [&condition.claim, &condition.pattern];
        if texts.iter().any(|it| it.is_empty() || it.len() > CONDITION_BYTES_MAX) {
            let text = format!("Claims and patterns have 1 to {CONDITION_BYTES_MAX} bytes.");
            return Err(Invalid::new("length", text));
        }
    }
    let mut subjects = conditions.iter().filter(|it| it.claim == SUBJECT);
    if subjects.any(|it| !it.pattern.starts_with('*')) {
        return Ok(());
    }
    let text = "A rule needs a condition for `sub` that does not begin with a wildcard.";
    Err(Invalid::new("subject_missing", text))
}

/// All conditions, and at least one.
pub fn hold(conditions: &[Condition], claims: &Claims) -> bool {
    !conditions.is_empty() && conditions.iter().all(|condition| condition.holds(claims))
}

/// Row by row: which beginnings of the text the pieces so far can match. Pattern times text, never more.
fn matches(pattern: &str, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pieces(pattern) {
        let mut next = vec![false; text.len() + 1];
        match piece {
            Piece::Exactly(wanted) => {
                for (at, found) in text.iter().enumerate() {
                    next[at + 1] = reached[at] && *found == wanted;
                }
            }
            Piece::Segment | Piece::Anything => {
                next[0] = reached[0];
                let crosses = matches!(piece, Piece::Anything);
                for (at, found) in text.iter().enumerate() {
                    let goes_on = next[at] && (crosses || !matches!(found, '/' | ':'));
                    next[at + 1] = reached[at + 1] || goes_on;
                }
            }
        }
        reached = next;
    }
    reached[text.len()]
}

fn pieces(pattern: &str) -> Vec<Piece> {
    let mut letters = pattern.chars().peekable();
    let mut pieces = Vec::new();
    while let Some(letter) = letters.next() {
        pieces.push(match letter {
            '*' if letters.next_if_eq(&'*').is_some() => Piece::Anything,
            '*' => Piece::Segment,
            exactly => Piece::Exactly(exactly),
        });
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(claim: &str, pattern: &str) -> Condition {
        Condition { claim: claim.into(), pattern: pattern.into() }
    }

    #[test]
    fn patterns_match_whole_claims() {
        for (pattern, text, is_match) in [
            ("repo:acme/shop:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", true),
            ("repo:acme/shop:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main2", false),
            ("repo:acme/shop:ref:refs/heads/main", "xrepo:acme/shop:ref:refs/heads/main", false),
            ("repo:acme/*:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/main", true),
            // A name chosen by somebody else cannot stand for more than its own part.
            (
                "repo:acme/*:ref:refs/heads/main",
                "repo:acme/a:environment:b:ref:refs/heads/main",
                false,
            ),
            ("repo:acme/*", "repo:acme/shop:pull_request", false),
            ("repo:acme/**", "repo:acme/shop:pull_request", true),
            ("repo:acme/**", "repo:acme-evil/shop", false),
            ("v*.*", "v1.2", true),
            ("v*.*", "v1", false),
            ("*", "", true),
            ("a", "", false),
            ("", "a", false),
            ("MAIN", "main", false),
        ] {
            assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_costs_no_more_than_its_length() {
        let text = "a".repeat(4_000);
        assert!(!matches(&"**a".repeat(85), &format!("{text}b")));
    }

    #[test]
    fn all_conditions_must_hold_and_an_absent_claim_holds_nothing() {
        let claims = Claims::from([("sub".into(), "x".into()), ("ref".into(), "main".into())]);
        let [sub, main, gone] =
            [condition("sub", "x"), condition("ref", "main"), condition("env", "**")];
        assert!(hold(&[sub.clone(), main.clone()], &claims));
        assert!(!hold(&[sub, main, gone], &claims));
        assert!(!hold(&[], &claims));
    }

    #[test]
    fn a_rule_must_narrow_the_subject() {
        assert!(check(&[condition("sub", "repo:acme/**")]).is_ok());
        for bad in [
            vec![],
            vec![condition("ref", "refs/heads/main")],
            vec![condition("sub", "**")],
            vec![condition("sub", "*:acme")],
            vec![condition("sub", "x"), condition("", "y")],
            vec![condition("sub", &"x".repeat(CONDITION_BYTES_MAX + 1))],
            vec![condition("sub", "x"); CONDITIONS_MAX + 1],
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
