//! Tokens as answers show them: everything but their text.

use std::collections::HashMap;

use keynest_commands::token::Made;
use keynest_domain::{Place, Reach, Timestamp, TokenId};
use keynest_projections::TokenRow;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

/// A token that was just made.
#[derive(Serialize, ToSchema)]
#[schema(as = TokenCreated)]
pub struct Created {
    message: &'static str,
    id: i64,
    /// Shown once, here; null when the request is a repeat.
    token: Option<String>,
    #[schema(format = DateTime)]
    expires_at: String,
}

/// A token.
#[derive(Serialize, ToSchema)]
pub struct Token {
    id: i64,
    name: String,
    /// `read` or `write`.
    access: &'static str,
    everywhere: bool,
    organizations: Vec<i64>,
    projects: Vec<i64>,
    environments: Vec<i64>,
    /// Of services: `editor` or `viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Networks that it works from; from everywhere if there is none.
    ip_ranges: Vec<String>,
    created_by_name: String,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// To the minute; null until it was used.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

impl Created {
    /// The answer to whoever made it: with the text, unless the token in the log was made with another one.
    pub fn new(made: &Made, text: &SecretString, digest: &str) -> Self {
        let is_this_one = made.digest == digest;
        Self {
            message: "Token created. It is shown this once.",
            id: made.id.get(),
            token: is_this_one.then(|| text.expose_secret().to_owned()),
            expires_at: made.expires_at.iso(),
        }
    }
}

impl Token {
    /// A row, and when it was last used.
    pub fn new(row: TokenRow, used: &HashMap<TokenId, Timestamp>) -> Self {
        let places: &[Place] = match &row.scope.reach {
            Reach::Everywhere => &[],
            Reach::Places(places) => places,
        };
        let mut token = Self {
            id: row.id.get(),
            name: row.name,
            access: row.scope.access.name(),
            everywhere: matches!(row.scope.reach, Reach::Everywhere),
            organizations: Vec::new(),
            projects: Vec::new(),
            environments: Vec::new(),
            role: row.role.map(keynest_domain::Role::name),
            ip_ranges: row.ranges,
            created_by_name: row.created_by_name,
            created_at: row.created_at.iso(),
            expires_at: row.expires_at.map(Timestamp::iso),
            last_used_at: used.get(&row.id).copied().map(Timestamp::iso),
        };
        for place in places {
            match (place.project, place.environment) {
                (_, Some(environment)) => token.environments.push(environment.get()),
                (Some(project), None) => token.projects.push(project.get()),
                (None, None) => token.organizations.push(place.organization.get()),
            }
        }
        token
    }
}
