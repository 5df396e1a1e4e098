//! How often callers may do what costs others something: policies with defaults, and the changes that administrators made
//! to them. All changes are on one stream, which every process follows.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::events;
use crate::{Aggregate, Lifetime, OrganizationId};

/// Longest window of a policy, in seconds: a day.
pub const WINDOW_SECONDS_MAX: u32 = 86_400;
/// Largest quota of a policy.
pub const QUOTA_MAX: u32 = 1_000_000;
/// Organizations with limits of their own at most.
pub const ORGANIZATIONS_MAX: usize = 10_000;
/// Times of mails or invitations that an aggregate remembers, and so the largest quota of those policies.
pub const TIMES_KEPT_MAX: usize = 500;

events! {
    /// A policy has another quota from now on.
    LimitChanged = "limits.changed" v 1,
}

/// See [`Event::LimitChanged`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LimitChanged {
    /// What is counted.
    pub policy: Policy,
    /// Whose; everybody's if `None`.
    pub organization: Option<OrganizationId>,
    /// `None`: what is configured.
    pub quota: Option<Quota>,
}

/// So many in any window of so many seconds. A quota of 0 is none: nothing is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Quota {
    pub quota: u32,
    pub window_seconds: u32,
}

/// What is counted, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Registrations of a client address.
    Register,
    /// Wishes for a password reset of a client address.
    PasswordReset,
    /// Sign-in and the like, of a client address on one route.
    Auth,
    /// Sign-in, reset and resend for one account from one client address.
    SignIn,
    /// Other public routes, of a client address.
    Anonymous,
    /// Everything of one signed-in account.
    User,
    /// Everything done with one token.
    Token,
    /// Everything that reaches one organization.
    Organization,
    /// Mails to an address that anybody can ask for, in the short run.
    MailsHourly,
    /// The same in the long run.
    MailsDaily,
    /// Invitations of one organization.
    Invitations,
}

const HOUR: u32 = 3_600;
const DAY: u32 = 86_400;

impl Quota {
    /// So many in so many seconds.
    pub const fn new(quota: u32, window_seconds: u32) -> Self {
        Self { quota, window_seconds }
    }

    /// The window.
    pub fn window(self) -> Lifetime {
        Lifetime::from_secs(self.window_seconds)
    }
}

impl Policy {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 11] = [
        Self::Register,
        Self::PasswordReset,
        Self::Auth,
        Self::SignIn,
        Self::Anonymous,
        Self::User,
        Self::Token,
        Self::Organization,
        Self::MailsHourly,
        Self::MailsDaily,
        Self::Invitations,
    ];

    /// The name in headers and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Register => "register",
            Self::PasswordReset => "password_reset",
            Self::Auth => "auth",
            Self::SignIn => "sign_in",
            Self::Anonymous => "anonymous",
            Self::User => "user",
            Self::Token => "token",
            Self::Organization => "organization",
            Self::MailsHourly => "mails_hourly",
            Self::MailsDaily => "mails_daily",
            Self::Invitations => "invitations",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == text)
    }

    /// What holds where nothing is configured (CONTRACT 2.5, THREATS API6). The one place for these numbers.
    pub const fn default_quota(self) -> Quota {
        match self {
            Self::Register => Quota::new(3, 60),
            Self::PasswordReset => Quota::new(5, HOUR),
            Self::Auth | Self::SignIn => Quota::new(5, 60),
            Self::Anonymous => Quota::new(100, HOUR),
            Self::User | Self::Token => Quota::new(1_000, HOUR),
            Self::Organization => Quota::new(20_000, HOUR),
            Self::MailsHourly => Quota::new(3, HOUR),
            Self::MailsDaily => Quota::new(10, DAY),
            Self::Invitations => Quota::new(50, DAY),
        }
    }

    /// Whether one organization can have another quota than the rest.
    pub fn is_per_organization(self) -> bool {
        match self {
            Self::Organization | Self::Invitations => true,
            Self::Register
            | Self::PasswordReset
            | Self::Auth
            | Self::SignIn
            | Self::Anonymous
            | Self::User
            | Self::Token
            | Self::MailsHourly
            | Self::MailsDaily => false,
        }
    }

    /// Whether an aggregate counts, so that the count holds in every process and after a restart.
    pub fn is_counted_in_the_log(self) -> bool {
        match self {
            Self::MailsHourly | Self::MailsDaily | Self::Invitations => true,
            Self::Register
            | Self::PasswordReset
            | Self::Auth
            | Self::SignIn
            | Self::Anonymous
            | Self::User
            | Self::Token
            | Self::Organization => false,
        }
    }

    /// The largest quota that can be given.
    pub fn quota_max(self) -> u32 {
        let kept = u32::try_from(TIMES_KEPT_MAX).unwrap_or(u32::MAX);
        if self.is_counted_in_the_log() { kept } else { QUOTA_MAX }
    }
}

/// A quota for every policy: what is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas([Quota; Policy::ALL.len()]);

impl Default for Quotas {
    fn default() -> Self {
        Self(Policy::ALL.map(Policy::default_quota))
    }
}

impl Quotas {
    /// Nothing is counted.
    pub fn none() -> Self {
        Self(Policy::ALL.map(|policy| Quota { quota: 0, ..policy.default_quota() }))
    }

    /// Another number for one policy, in its usual window.
    #[must_use]
    pub fn with(mut self, policy: Policy, quota: u32) -> Self {
        self.0[policy as usize] = Quota { quota, ..policy.default_quota() };
        self
    }

    /// The quota of a policy.
    pub fn of(&self, policy: Policy) -> Quota {
        self.0[policy as usize]
    }
}

/// The one instance of this aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance;

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("instance")
    }
}

/// What administrators changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    instance: BTreeMap<Policy, Quota>,
    organizations: BTreeMap<OrganizationId, BTreeMap<Policy, Quota>>,
}

impl Aggregate for Limits {
    type Id = Instance;
    type Event = Event;
    const CATEGORY: &'static str = "limits";

    fn evolve(mut self, event: &Event) -> Self {
        let Event::LimitChanged(LimitChanged { policy, organization, quota }) = event;
        let changed = match organization {
            None => &mut self.instance,
            Some(id) => self.organizations.entry(*id).or_default(),
        };
        match quota {
            Some(quota) => changed.insert(*policy, *quota),
            None => changed.remove(policy),
        };
        self.organizations.retain(|_, changed| !changed.is_empty());
        self
    }
}

impl Limits {
    /// What was changed, for everybody or for one organization; `None` where the configuration holds.
    pub fn changed(&self, policy: Policy, organization: Option<OrganizationId>) -> Option<Quota> {
        match organization {
            None => self.instance.get(&policy).copied(),
            Some(id) => self.organizations.get(&id)?.get(&policy).copied(),
        }
    }

    /// What holds: the organization's own, else everybody's, else what is configured.
    pub fn quota(
        &self,
        policy: Policy,
        organization: Option<OrganizationId>,
        configured: &Quotas,
    ) -> Quota {
        let own = organization.and_then(|id| self.changed(policy, Some(id)));
        own.or_else(|| self.changed(policy, None)).unwrap_or_else(|| configured.of(policy))
    }
}

/// What the rules of limits refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A quota or a window out of bounds.
    #[error("a quota is at most {quota_max}, in a window of 1 to {WINDOW_SECONDS_MAX} seconds")]
    OutOfBounds {
        /// The largest quota of this policy.
        quota_max: u32,
    },
    /// Organizations have no quota of their own for it.
    #[error("this policy is not counted per organization")]
    NotPerOrganization,
    /// Too many exceptions.
    #[error("{ORGANIZATIONS_MAX} organizations have limits of their own")]
    TooManyOrganizations,
}

/// Changes the quotas of some policies; what is so already is left out.
pub fn change(
    state: &Limits,
    organization: Option<OrganizationId>,
    wish: &[(Policy, Option<Quota>)],
) -> Result<Vec<Event>, Rejection> {
    let mut events = Vec::new();
    for &(policy, quota) in wish {
        if organization.is_some() && !policy.is_per_organization() {
            return Err(Rejection::NotPerOrganization);
        }
        let quota_max = policy.quota_max();
        let is_good = quota.is_none_or(|it| {
            it.quota <= quota_max && (1..=WINDOW_SECONDS_MAX).contains(&it.window_seconds)
        });
        if !is_good {
            return Err(Rejection::OutOfBounds { quota_max });
        }
        if state.changed(policy, organization) != quota {
            events.push(LimitChanged { policy, organization, quota }.into());
        }
    }
    let is_new = organization.is_some_and(|id| !state.organizations.contains_key(&id));
    if is_new && !events.is_empty() && state.organizations.len() >= ORGANIZATIONS_MAX {
        return Err(Rejection::TooManyOrganizations);
    }
    Ok(events)
}

/// Remembers when something was done, newest last, as far back as a day: the longest window.
pub(crate) fn keep_time(times: &mut Vec<crate::Timestamp>, at: crate::Timestamp) {
    times.retain(|time| *time + Lifetime::from_secs(WINDOW_SECONDS_MAX) > at);
    times.push(at);
    let surplus = times.len().saturating_sub(TIMES_KEPT_MAX);
    times.drain(..surplus);
}

/// Whether any of these windows has no room.
pub(crate) fn is_full(times: &[crate::Timestamp], quotas: &[Quota], at: crate::Timestamp) -> bool {
    quotas.iter().any(|quota| full_until(times, *quota, at).is_some())
}

/// When there is room again in a window, if there is none now.
pub(crate) fn full_until(
    times: &[crate::Timestamp],
    quota: Quota,
    at: crate::Timestamp,
) -> Option<crate::Timestamp> {
    let within: Vec<_> = times.iter().filter(|time| **time + quota.window() > at).collect();
    let quota_count = usize::try_from(quota.quota).unwrap_or(usize::MAX);
    if quota.quota == 0 || within.len() < quota_count {
        return None;
    }
    within.get(within.len() - quota_count).map(|time| **time + quota.window())
}

#[cfg(test)]
mod tests;
