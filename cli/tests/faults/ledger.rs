//! One line for every change that somebody asked for, and what came of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// What a caller knows of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet: it was sent, perhaps several times with the same key, and never answered.
    Unknown,
    /// 2xx.
    Ok,
    /// Any other final answer, by its code.
    Refused(String),
}

#[derive(Clone, Debug)]
pub struct Line {
    /// Of the request, unique in a run: the `Idempotency-Key`.
    pub key: String,
    /// The command, and what it should have written.
    pub what: What,
    /// How often it was sent.
    pub sent: u32,
    pub outcome: Outcome,
    /// Events of the change, as its answer tells; 1 where an answer does not.
    pub events: u64,
    /// Variables that an import made and did not have to change.
    pub made: i64,
}

/// A change by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    Register,
    Activate,
    CreateOrganization,
    CreateProject,
    ChangeProject,
    CreateEnvironment,
    /// In an environment.
    CreateVariable(i64),
    ChangeVariable(i64),
    DeleteVariable(i64),
    /// Many variables of an environment at once.
    Import(i64),
    /// In an organization.
    Invite(i64),
    RevokeInvitation(i64),
    Accept(i64),
    ChangeRole(i64),
    RemoveMember(i64),
    Refresh,
    /// Signs in once more, and out.
    LogIn,
    LogOut,
    /// A token for machines.
    CreateToken,
    RevokeToken,
}

impl What {
    /// The event that this change writes exactly once when it is acknowledged, and the stream, where it is known.
    pub fn event(self) -> Option<(&'static str, String)> {
        let environment = |id: i64, event| Some((event, format!("environment-{id}")));
        let organization = |id: i64, event| Some((event, format!("organization-{id}")));
        match self {
            Self::CreateVariable(at) => environment(at, "environment.variable_created"),
            Self::ChangeVariable(at) => environment(at, "environment.variable_changed"),
            Self::DeleteVariable(at) => environment(at, "environment.variable_deleted"),
            Self::Import(at) => environment(at, "environment.variables_imported"),
            Self::Invite(at) => organization(at, "organization.invitation_sent"),
            Self::RevokeInvitation(at) => organization(at, "organization.invitation_revoked"),
            Self::Accept(at) => organization(at, "organization.invitation_accepted"),
            Self::ChangeRole(at) => organization(at, "organization.member_role_changed"),
            Self::RemoveMember(at) => organization(at, "organization.member_removed"),
            Self::Register
            | Self::Activate
            | Self::CreateOrganization
            | Self::CreateProject
            | Self::ChangeProject
            | Self::CreateEnvironment
            | Self::Refresh
            | Self::LogIn
            | Self::LogOut
            | Self::CreateToken
            | Self::RevokeToken => None,
        }
    }

    /// Whether it is one command of its own under the request's key, so that the key leads to its events.
    pub fn is_one_command(self) -> bool {
        !matches!(self, Self::Refresh | Self::LogIn | Self::LogOut)
    }
}

/// A look at values that was answered: the audit log must know of it.
#[derive(Clone, Debug)]
pub struct Reveal {
    pub request: String,
}

/// An invitation that was taken back: from then on no mail for it leaves.
#[derive(Clone, Debug)]
pub struct Cancelled {
    pub invitation: String,
    pub at: Instant,
}

/// Everything that was asked for in a run.
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
pub struct Book {
    pub lines: Vec<Line>,
    pub reveals: Vec<Reveal>,
    pub cancelled: Vec<Cancelled>,
    /// Answers that nobody should ever get, with what was asked.
    pub scandals: Vec<String>,
    /// Requests that were sent, requests without an answer, and requests that were shed with 429 or 503.
    pub sent: u64,
    pub unanswered: u64,
    pub shed: u64,
    pub acknowledged: u64,
    /// Events of acknowledged changes.
    pub events: u64,
    /// Processes of the product that were killed.
    pub kills: u64,
    /// Places where something that was taken away was refused within its time (I10).
    pub refusals: u64,
    /// The token that somebody has now, by address.
    pub tokens: HashMap<String, String>,
    /// How many of a hundred steps are imports, beside those that are anyway: until there are events enough.
    pub hurry: usize,
}

impl Ledger {
    pub fn open(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }
}
