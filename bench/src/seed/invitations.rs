//! Invitations on their way, with the tokens of their mails.

use std::sync::Arc;

use keynest_cli::product::Product;
use keynest_commands::claims;
use keynest_crypto::{Context, Link, LinkTarget, Links, Subject, random};
use keynest_domain::organization::{InvitationSent, Organization};
use keynest_domain::{Aggregate, Event, Lifetime, Role};
use keynest_store::Expected;
use secrecy::ExposeSecret;

use super::people::{Parts, Person};
use super::workers::{self, Draft, Maker};
use super::{Plan, Team};

struct Invitations {
    parts: Parts,
    links: Links,
    teams: Arc<[Team]>,
    people: Arc<[Person]>,
    each: usize,
}

/// Tokens of each team's invitations. Invited are the people behind its admin, who are members of other teams only.
pub async fn seed(
    product: &Product,
    plan: &Plan,
    teams: &[Team],
    people: &[Person],
) -> anyhow::Result<Vec<Vec<String>>> {
    if plan.invitations == 0 {
        return Ok(Vec::new());
    }
    let maker = Invitations {
        parts: product.into(),
        links: Links::new(product.keyring.clone()),
        teams: teams.into(),
        people: people.into(),
        each: plan.invitations,
    };
    // Teams that have a session's holder for their admin: nobody else accepts anything.
    let count = if plan.sessions == 0 { teams.len() } else { teams.len().min(plan.sessions) };
    workers::all(maker, count).await
}

impl Maker for Invitations {
    type Made = Vec<String>;

    async fn make(&self, n: usize) -> anyhow::Result<Vec<String>> {
        let Parts { store, keyring, clock } = &self.parts;
        let Team { admin, organization, .. } = self.teams[n];
        let (mut events, mut tokens) = (Vec::<Event>::new(), Vec::new());
        let mut draft = Draft::new(&self.parts, Some(admin), Some(organization));
        for person in self.people.iter().cycle().skip(n + 1).take(self.each) {
            let (invitation, nonce, at) =
                (clock.invitation_id(), random::link_nonce(), clock.now());
            let expires_at = at + Lifetime::from_days(7);
            let stream = Organization::stream(organization);
            let (event, field) = ("organization.invitation_sent", "address");
            let context = Context::new(Subject::Invitation(invitation), stream, event, field);
            let address = keyring.seal(&context, person.email.as_bytes()).await?;
            let (role, inviter) = (Role::Viewer, admin);
            let sent = InvitationSent { invitation, address, role, inviter, nonce, expires_at, at };
            events.push(sent.into());
            let claim = claims::invitation(keyring, organization, &person.email);
            draft.claim::<Organization>(claim, organization);
            let target = LinkTarget::Invitation(organization, invitation);
            let token = self.links.issue(&Link { target, nonce, expires_at });
            tokens.push(token.expose_secret().to_owned());
        }
        draft.add::<Organization>(organization, Expected::Any, &events);
        draft.append(store).await?;
        Ok(tokens)
    }
}
