//! The token that somebody wishes for, as a request says it.

use ipnet::IpNet;
use keynest_commands::token::{NewToken, ScopeWish, Spot};
use keynest_domain::scope::PLACES_MAX;
use keynest_domain::{EnvironmentId, Lifetime, OrganizationId, ProjectId, TokenAccess, TokenName};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::app::TokenSettings;
use crate::core::given::{Check, Id};
use crate::extract::Text;

/// Networks that one token is bound to, at most.
pub const RANGES_MAX: usize = 50;

/// A token, as its maker asks for it.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = TokenWish)]
pub struct Wish {
    #[schema(value_type = String, min_length = 1, max_length = 100)]
    pub name: Text,
    /// `read`, which is the default, or `write`.
    #[schema(value_type = Option<String>)]
    pub access: Option<Text>,
    /// Wherever its bearer may go, now and later. Without it, at least one place is named.
    #[serde(default)]
    pub everywhere: bool,
    /// Organizations with all that is in them.
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    pub organizations: Vec<Id>,
    /// Projects with all that is in them.
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    pub projects: Vec<Id>,
    #[serde(default)]
    #[schema(value_type = Vec<i64>)]
    pub environments: Vec<Id>,
    /// Networks that it works from; from everywhere if there is none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub ip_ranges: Vec<Text>,
    /// 90 if it is not given; the server's configuration has the most.
    pub expires_in_days: Option<u32>,
    /// Of an organization's token: `viewer`, which is the default, or `editor`. A personal one has its owner's roles.
    #[schema(value_type = Option<String>)]
    pub role: Option<Text>,
}

impl Wish {
    /// Name and scope, or what is wrong with them.
    pub fn scope(&self, check: &mut Check) -> Option<(TokenName, ScopeWish)> {
        let name = check.field("name", &self.name, TokenName::parse);
        let access = self.access.as_ref().map_or("read", |text| text.0.as_str());
        let access = TokenAccess::parse(access);
        if access.is_none() {
            check.fail("access", "Expected one of read, write.");
        }
        let spots = self.spots(check)?;
        let access = access?;
        name.map(|name| (name, ScopeWish { access, spots }))
    }

    /// The whole of it: what it is called, how far it goes, from where and until when.
    pub fn parse(
        &self,
        check: &mut Check,
        settings: &TokenSettings,
        digest: String,
    ) -> Option<NewToken> {
        let scoped = self.scope(check);
        let ranges = ranges(check, &self.ip_ranges);
        let lifetime = lifetime(check, self.expires_in_days, settings);
        scoped.map(|(name, scope)| NewToken { name, scope, ranges, lifetime, digest })
    }

    fn spots(&self, check: &mut Check) -> Option<Option<Vec<Spot>>> {
        let organizations = self.organizations.iter().map(|id| OrganizationId::new(id.0));
        let projects = self.projects.iter().map(|id| ProjectId::new(id.0));
        let environments = self.environments.iter().map(|id| EnvironmentId::new(id.0));
        let spots: Vec<Spot> = organizations
            .map(Spot::Organization)
            .chain(projects.map(Spot::Project))
            .chain(environments.map(Spot::Environment))
            .collect();
        if spots.len() > PLACES_MAX {
            check.fail("organizations", format!("A token names at most {PLACES_MAX} places."));
            return None;
        }
        match (self.everywhere, spots.is_empty()) {
            (true, true) => Some(None),
            (false, false) => Some(Some(spots)),
            (true, false) => {
                check.fail("everywhere", "Either everywhere or some places, not both.");
                None
            }
            (false, true) => {
                check.fail("everywhere", "Name at least one place, or say everywhere.");
                None
            }
        }
    }
}

/// Networks in their one spelling; a single address is a network of one.
fn ranges(check: &mut Check, given: &[Text]) -> Vec<String> {
    if given.len() > RANGES_MAX {
        check.fail("ip_ranges", format!("A token is bound to at most {RANGES_MAX} networks."));
        return Vec::new();
    }
    let mut ranges = Vec::with_capacity(given.len());
    for Text(text) in given {
        let text = text.trim();
        let alone = || text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
        match text.parse::<IpNet>().ok().or_else(alone) {
            Some(range) => ranges.push(range.trunc().to_string()),
            None => check
                .fail("ip_ranges", "Expected networks such as 203.0.113.0/24 or 2001:db8::/32."),
        }
    }
    ranges
}

/// How long the token lives, within the configured bounds.
fn lifetime(check: &mut Check, days: Option<u32>, settings: &TokenSettings) -> Lifetime {
    let days = days.unwrap_or(settings.lifetime_days);
    if days == 0 || days > settings.lifetime_days_max {
        let text = format!("Expected 1 to {} days.", settings.lifetime_days_max);
        check.fail("expires_in_days", text);
    }
    Lifetime::from_days(days.min(settings.lifetime_days_max))
}
