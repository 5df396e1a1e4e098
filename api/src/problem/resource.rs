//! What organizations, projects and environments refuse.

use keynest_domain::{environment, organization, project};

use crate::Problem;

impl From<organization::Rejection> for Problem {
    fn from(rejection: organization::Rejection) -> Self {
        use organization::Rejection as R;
        let code = match rejection {
            R::NameTaken => return Self::validation([("name", sentence(&rejection))]),
            R::InvitesOneself => "invites_oneself",
            R::AlreadyMember => "already_member",
            R::InvitationPending => "invitation_pending",
            R::TooManyInvitations => "too_many_invitations",
            R::OrganizationFull => "organization_full",
            R::InvitationUnknown => "invitation_unknown",
            R::InvitationExpired => "invitation_expired",
            R::InvitationUsed => "invitation_used",
            R::InvitationRevoked => "invitation_revoked",
            R::InvitationForAnother => "invitation_for_another",
            R::AccountMissing => "account_missing",
            R::NotAMember => "not_a_member",
            R::OwnRole => "own_role",
            R::RemovesOneself => "removes_oneself",
            R::LastAdmin => "last_admin",
        };
        Self::new(code).detail(sentence(&rejection))
    }
}

impl From<project::Rejection> for Problem {
    fn from(rejection: project::Rejection) -> Self {
        match rejection {
            project::Rejection::ParentIsFixed => Self::new("parent_is_fixed"),
        }
    }
}

impl From<environment::Rejection> for Problem {
    fn from(rejection: environment::Rejection) -> Self {
        use environment::Rejection as R;
        let text = sentence(&rejection);
        match rejection {
            R::NameTaken => Self::validation([(crate::problem::WHOLE_BODY, text)]),
            R::KeyTaken => Self::validation([(crate::problem::WHOLE_BODY, text)]),
            R::ParentIsFixed => Self::new("parent_is_fixed"),
            R::VariableAbsent => Self::new("not_found"),
            R::KeysExist(keys) => {
                let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
                Self::new("conflict").detail(text).with("conflicts", keys)
            }
            R::KeyRepeated(_) | R::ImportEmpty | R::ImportTooLarge => {
                Self::new("invalid_file").detail(text)
            }
        }
    }
}

/// The rule's text as a sentence for people.
fn sentence(rejection: &impl ToString) -> String {
    let text = rejection.to_string();
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}
