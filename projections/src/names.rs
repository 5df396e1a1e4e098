//! The names of the projections, for waiting on the models that an answer is read from.

/// Accounts.
pub const USERS: &str = "users";
/// Sign-ins.
pub const SESSIONS: &str = "sessions";
/// Teams and memberships.
pub const ORGANIZATIONS: &str = "organizations";
/// Invitations.
pub const INVITATIONS: &str = "invitations";
/// Projects.
pub const PROJECTS: &str = "projects";
/// Environments.
pub const ENVIRONMENTS: &str = "environments";
/// Variables and their history.
pub const VARIABLES: &str = "variables";
/// Accounts at identity providers.
pub const IDENTITIES: &str = "identities";
/// Second factors.
pub const FACTORS: &str = "factors";
/// Tokens and rules for tokens of other issuers.
pub const TOKENS: &str = "tokens";
/// The audit log.
pub const AUDIT_LOG: &str = "audit_log";

/// All of them.
pub const ALL: &[&str] = &[
    USERS,
    SESSIONS,
    ORGANIZATIONS,
    INVITATIONS,
    PROJECTS,
    ENVIRONMENTS,
    VARIABLES,
    IDENTITIES,
    FACTORS,
    TOKENS,
    AUDIT_LOG,
];
