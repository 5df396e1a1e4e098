//! Templates, compiled in: a folder per kind of mail with subject, text and HTML.

use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, escape_formatter};

use crate::letter::{Kind, Letter};

/// A mail ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// The engine with all templates. HTML is escaped; a missing fact is an error, never a blank.
pub struct Renderer(Environment<'static>);

macro_rules! templates {
    ($($folder:literal),+ $(,)?) => {
        [$(
            (concat!($folder, "/subject.txt"), include_str!(concat!("../templates/", $folder, "/subject.txt.j2"))),
            (concat!($folder, "/body.txt"), include_str!(concat!("../templates/", $folder, "/body.txt.j2"))),
            (concat!($folder, "/body.html"), include_str!(concat!("../templates/", $folder, "/body.html.j2"))),
        )+]
    };
}

const TEMPLATES: &[(&str, &str)] = &templates![
    "activation",
    "already_registered",
    "welcome",
    "password_reset",
    "password_changed",
    "invite_member",
    "member_joined",
    "role_changed",
    "member_removed",
    "project_created",
    "project_renamed",
    "project_deleted",
    "environment_created",
    "variables_imported",
    "token_reuse",
    "factor_added",
    "factor_removed",
    "factors_reset",
    "recovery_codes_made",
    "recovery_code_used",
    "identity_linked",
    "identity_unlinked",
    "email_change_confirm",
    "email_change_notice",
    "email_change_taken",
    "email_changed",
    "email_change_undone",
    "new_sign_in",
    "account_closed",
    "account_erased",
    "token_created",
    "token_ended",
];

/// Facts that are ours, and printed as they are; everything else may be somebody's words.
const OURS: [&str; 6] = ["link", "cancel", "site", "place", "at", "device"];
/// Takes no room and breaks no line.
const WORD_JOINER: char = '\u{2060}';
const BASE_TEXT: &str = include_str!("../templates/base.txt.j2");
const BASE_HTML: &str = include_str!("../templates/base.html.j2");

impl Renderer {
    /// Compiles all templates.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|name| {
            if name.ends_with(".html") { AutoEscape::Html } else { AutoEscape::None }
        });
        engine.set_formatter(|out, state, value| {
            let is_ours = OURS.iter().any(|name| state.lookup(name).as_ref() == Some(value));
            match value.as_str() {
                Some(text) if !is_ours => {
                    escape_formatter(out, state, &Value::from(unlinked(text)))
                }
                Some(_) | None => escape_formatter(out, state, value),
            }
        });
        engine.add_template("base.txt", BASE_TEXT)?;
        engine.add_template("base.html", BASE_HTML)?;
        for (name, source) in TEMPLATES {
            engine.add_template(name, source)?;
        }
        Ok(Self(engine))
    }

    /// Fills the templates of a letter.
    pub fn render(&self, letter: &Letter) -> Result<Rendered, minijinja::Error> {
        let facts =
            context! { to => context! { name => letter.to.name.as_str() }, ..letter.facts.clone() };
        let fill = |part: &str| self.0.get_template(&name(letter.kind, part))?.render(&facts);
        Ok(Rendered {
            subject: fill("subject.txt")?.trim().to_owned(),
            text: fill("body.txt")?,
            html: fill("body.html")?,
        })
    }
}

/// Mail programs make links of whatever looks like an address; in what people wrote, a sign of no width prevents it.
fn unlinked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        shown.push(letter);
        if matches!(letter, '.' | ':' | '@')
            && letters.peek().is_some_and(|next| !next.is_whitespace())
        {
            shown.push(WORD_JOINER);
        }
    }
    shown
}

fn name(kind: Kind, part: &str) -> String {
    format!("{}/{part}", kind.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Recipient;

    fn letter(kind: Kind, name: &str) -> Letter {
        Letter {
            kind,
            to: Recipient {
                user: None,
                address: "ann@example.com".to_owned(),
                name: name.to_owned(),
            },
            facts: context! {
                username => "ann", link => "https://app.example/x/y/", hours => 24, minutes => 30, days => 7,
                at => "2026-11-22 10:00 UTC", place => "203.0.113.9", site => "https://app.example",
                organization => name, inviter => name, actor => name, member => name, role => "viewer",
                from_role => "viewer", to_role => "editor", project => name, old_project => "Old",
                environment => name, environment_type => "testing", created => 2, changed => 1,
                provider => "github", cancel => "https://app.example/c/d/", wished => "new@example.com",
                previous => "old@example.com", device => "Firefox on Linux", token => 7,
            },
        }
    }

    #[test]
    fn every_kind_renders_a_subject_and_two_bodies() {
        let renderer = Renderer::new().unwrap();
        for kind in Kind::ALL {
            let mail = renderer.render(&letter(kind, "Acme")).unwrap();
            assert!(!mail.subject.is_empty() && !mail.subject.contains('\n'), "{kind:?}");
            assert!(mail.text.len() > 80 && mail.html.contains("</html>"), "{kind:?}");
        }
    }

    #[test]
    fn both_bodies_of_a_mail_with_a_link_carry_it() {
        let renderer = Renderer::new().unwrap();
        for kind in [Kind::Activation, Kind::PasswordReset, Kind::InviteMember] {
            let mail = renderer.render(&letter(kind, "Acme")).unwrap();
            assert!(mail.text.contains("https://app.example/x/y/"), "{kind:?} text");
            assert!(
                mail.html.contains("href=\"https:&#x2f;&#x2f;app.example&#x2f;x&#x2f;y&#x2f;\""),
                "{kind:?} {}",
                mail.html
            );
        }
    }

    #[test]
    fn names_are_literal_in_text_and_escaped_in_html() {
        let renderer = Renderer::new().unwrap();
        let mail = renderer.render(&letter(Kind::InviteMember, "{{ 7*7 }}<img src=x>")).unwrap();
        assert!(mail.text.contains("{{ 7*7 }}<img src=x>"));
        assert!(mail.html.contains("{{ 7*7 }}&lt;img src=x&gt;") && !mail.html.contains("<img"));
    }

    #[test]
    fn no_name_becomes_a_link() {
        let renderer = Renderer::new().unwrap();
        let mail = renderer.render(&letter(Kind::InviteMember, "http://evil.example now")).unwrap();
        for part in [&mail.subject, &mail.text, &mail.html] {
            assert!(!part.contains("://evil") && !part.contains("evil.example"), "{part}");
        }
    }

    #[test]
    fn a_missing_fact_is_an_error_and_never_a_blank() {
        let renderer = Renderer::new().unwrap();
        let bare = Letter { facts: context! {}, ..letter(Kind::Welcome, "Acme") };
        assert!(renderer.render(&bare).is_err());
    }
}
