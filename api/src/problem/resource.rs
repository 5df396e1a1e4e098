//! What the rules of organizations, projects and environments refuse, as problems.

use keynest_domain::limits::Policy;
use keynest_domain::{environment, organization, project};

use crate::Problem;
use crate::problem::WHOLE_BODY;

impl From<organization::Rejection> for Problem {
    fn from(why: organization::Rejection) -> Self {
        use organization::Rejection;
        let code = match why {
            Rejection::NameTaken => return Self::validation([("name", sentence(&why))]),
            Rejection::InvitesOneself | Rejection::OwnRole | Rejection::RemovesOneself => {
                "own_membership"
            }
            Rejection::AlreadyMember => "already_member",
            Rejection::InvitationPending => "invitation_pending",
            Rejection::InvitesTooOften { seconds } => {
                return Self::throttled(Policy::Invitations, seconds);
            }
            Rejection::TooManyInvitations => "too_many_invitations",
            Rejection::OrganizationFull => "organization_full",
            Rejection::InvitationUnknown => "invitation_unknown",
            Rejection::InvitationExpired => "invitation_expired",
            Rejection::InvitationUsed => "invitation_used",
            Rejection::InvitationRevoked => "invitation_revoked",
            Rejection::InvitationForAnother => "invitation_for_another",
            Rejection::AccountMissing => "account_missing",
            Rejection::NotAMember => "not_a_member",
            Rejection::LastAdmin => "last_admin",
            Rejection::LocksOneselfOut => "own_lock_out",
            Rejection::TooManyServices => "too_many_tokens",
            Rejection::ServiceUnknown => "not_found",
        };
        Self::new(code).detail(sentence(&why))
    }
}

impl From<project::Rejection> for Problem {
    fn from(why: project::Rejection) -> Self {
        match why {
            project::Rejection::ParentIsFixed => {
                Self::new("parent_is_fixed").field("organization", sentence(&why))
            }
        }
    }
}

impl From<environment::Rejection> for Problem {
    fn from(why: environment::Rejection) -> Self {
        use environment::Rejection;
        let text = sentence(&why);
        match why {
            Rejection::NameTaken | Rejection::KeyTaken => Self::validation([(WHOLE_BODY, text)]),
            Rejection::ParentIsFixed => Self::new("parent_is_fixed").field(WHOLE_BODY, text),
            Rejection::VariableAbsent => Self::new("not_found"),
            Rejection::KeysExist(keys) => {
                let keys: Vec<&str> =
                    keys.iter().map(keynest_domain::VariableKey::as_str).collect();
                let message = "Import again with overwrite to replace them.";
                Self::new("conflict").detail(text).with("conflicts", keys).with("message", message)
            }
            Rejection::KeyRepeated(_) | Rejection::ImportEmpty | Rejection::ImportTooLarge => {
                Self::new("invalid_file").detail(text.clone()).with("details", vec![text])
            }
        }
    }
}

/// A rejection's text as people read it.
fn sentence(why: &dyn std::error::Error) -> String {
    let text = why.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_links_say_the_words_that_the_page_looks_for() {
        let error =
            |why: organization::Rejection| Problem::from(why).body(None, None)["error"].to_string();
        assert!(error(organization::Rejection::InvitationExpired).contains("expired"));
        assert!(error(organization::Rejection::InvitationUsed).contains("already"));
        assert!(error(organization::Rejection::AlreadyMember).contains("already"));
    }

    #[test]
    fn keys_in_the_way_of_an_import_are_listed() {
        let key = keynest_domain::VariableKey::parse("TOKEN").unwrap();
        let problem = Problem::from(environment::Rejection::KeysExist(vec![key]));
        assert_eq!((problem.status().as_u16(), problem.code()), (409, "conflict"));
        assert_eq!(problem.body(None, None)["conflicts"], serde_json::json!(["TOKEN"]));
    }
}
