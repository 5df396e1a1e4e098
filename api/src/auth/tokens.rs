//! The pair of tokens that a sign-in or a refresh gives.

use keynest_commands::Executed;
use keynest_commands::login::SignIn;
use keynest_commands::session::SignedIn;
use keynest_crypto::AccessClaims;
use keynest_domain::{Role, UserId};
use keynest_projections::{Profile, names};
use secrecy::ExposeSecret;

use crate::{App, Problem};

/// What a client keeps.
pub struct Tokens {
    pub access: String,
    pub refresh: String,
    /// Who signed in.
    pub profile: Profile,
}

impl App {
    /// The tokens of a sign-in, or the problem that asks for the second factor.
    pub(super) async fn sign_in(&self, executed: Executed<SignIn>) -> Result<Tokens, Problem> {
        match executed.outcome {
            SignIn::Session(outcome) => {
                self.tokens(&Executed { position: executed.position, outcome }).await
            }
            SignIn::Challenge(challenge) => {
                let kinds: Vec<&str> = challenge.kinds.iter().map(|kind| kind.name()).collect();
                Err(Problem::new("second_factor_required")
                    .with("challenge", challenge.token.expose_secret())
                    .with("factors", kinds)
                    .with("expires_at", challenge.expires_at.iso())
                    .with("passkey_options", challenge.passkey_options))
            }
        }
    }

    /// Waits until the read side knows the sign-in, then makes an access token with the names of now.
    pub(super) async fn tokens(&self, executed: &Executed<SignedIn>) -> Result<Tokens, Problem> {
        let signed_in = &executed.outcome;
        self.wait_for(executed.position, &[names::USERS, names::SESSIONS]).await;
        let profile = self.queries.profile(signed_in.user).await?;
        let profile = profile.ok_or_else(|| Problem::new("read_model_behind"))?;
        let claims = AccessClaims {
            user: signed_in.user,
            session: signed_in.session,
            epoch: signed_in.epoch,
            username: profile.user.username.clone(),
            email: profile.user.email.clone(),
            full_name: profile.user.full_name.clone(),
            permissions: permissions(&profile),
        };
        let now = self.commands.clock().now();
        let access = self.tokens.mint(&claims, now).map_err(|error| Problem::internal(&error))?;
        let access = access.expose_secret().to_owned();
        Ok(Tokens { access, refresh: signed_in.refresh.expose_secret().to_owned(), profile })
    }
}

impl App {
    /// What a person's organizations are called, as words that no password may consist of.
    pub(super) async fn organization_names(&self, user: UserId) -> Result<Vec<String>, Problem> {
        let profile = self.queries.profile(user).await?;
        let teams = profile.map(|profile| profile.organizations).unwrap_or_default();
        Ok(teams.into_iter().map(|team| team.name).collect())
    }
}

/// For clients to show or hide things; never trusted here.
fn permissions(profile: &Profile) -> Vec<String> {
    let teams = profile.organizations.iter();
    teams.map(|team| format!("organization:{}:{}", team.id, role(team.role))).collect()
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Editor => "editor",
        Role::Viewer => "viewer",
    }
}
