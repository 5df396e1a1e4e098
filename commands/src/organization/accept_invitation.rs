//! The invited person joins, by the token of the mail alone (R12).

use keynest_crypto::{LinkTarget, Links};
use keynest_domain::organization::{self, Organization, Rejection, accept_invitation};
use keynest_domain::user::Standing;
use keynest_domain::{Email, Event, InvitationId, OrganizationId, Role, Timestamp, UserId};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

/// The wish. The token is as good as a password: no `Debug`.
pub struct AcceptInvitation {
    /// The token of the mailed link.
    pub token: String,
}

/// Who joined what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Accepted {
    pub organization: OrganizationId,
    pub user: UserId,
    pub inviter: UserId,
    pub role: Role,
    pub joined_at: Timestamp,
}

impl Commands {
    /// Joins the account of the invited address; a signed-in caller must be that account.
    pub async fn accept_invitation(
        &self,
        origin: &Origin,
        wish: AcceptInvitation,
    ) -> Result<Executed<Accepted>, CommandError> {
        self.execute(origin, &wish).await
    }
}

impl UseCase for AcceptInvitation {
    type Outcome = Accepted;

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let at = unit.now();
        let (id, invitation) = self.target()?;
        let state = unit.load::<Organization>(id).await?;
        self.require_genuine(unit, id, invitation, &state)?;
        unit.file_under(id);
        let pending = accept_invitation::open_invitation(&state, invitation, at)?;
        let invitee = match unit.invited_address(id, invitation, pending).await? {
            Some(address) => unit.active_account_of(&address).await?,
            None => None,
        };
        let caller = unit.origin().actor;
        let wish = accept_invitation::AcceptInvitation { invitation, invitee, caller, at };
        let events = accept_invitation::decide(&state, wish)?;
        unit.release_ended(id, &state, &events).await?;
        unit.stage::<Organization>(id, events);
        Ok(())
    }

    fn outcome(&self, events: &[Event]) -> Accepted {
        let read = || {
            let accepted = events.iter().find_map(accepted)?;
            let joined = events.iter().find_map(joined)?;
            let (organization, _) = self.target().ok()?;
            let organization::MemberJoined { user, role, at: joined_at } = *joined;
            Some(Accepted { organization, user, inviter: accepted.inviter, role, joined_at })
        };
        read().expect(
            "accepting always appends an acceptance and a member, for a token that was read",
        )
    }
}

impl AcceptInvitation {
    fn target(&self) -> Result<(OrganizationId, InvitationId), Rejection> {
        match Links::read(&self.token).map(|link| link.target) {
            Some(LinkTarget::Invitation(organization, invitation)) => {
                Ok((organization, invitation))
            }
            Some(
                LinkTarget::Activation(_)
                | LinkTarget::PasswordReset(_)
                | LinkTarget::NewEmail(_)
                | LinkTarget::OldEmail(_)
                | LinkTarget::EmailUndo(_),
            )
            | None => Err(Rejection::InvitationUnknown),
        }
    }

    /// Expiry is left to the rule, which can say so: here it is judged at the beginning of time, when nothing has expired.
    fn require_genuine(
        &self,
        unit: &Unit<'_>,
        organization: OrganizationId,
        invitation: InvitationId,
        state: &Organization,
    ) -> Result<(), Rejection> {
        let links = Links::new(unit.commands().keyring().clone());
        let target = LinkTarget::Invitation(organization, invitation);
        let nonce = state.nonce_of(invitation).ok_or(Rejection::InvitationUnknown)?;
        let is_genuine = links.verify(&self.token, target, nonce, Timestamp::from_micros(0));
        if is_genuine { Ok(()) } else { Err(Rejection::InvitationUnknown) }
    }
}

impl Unit<'_> {
    async fn active_account_of(&mut self, address: &str) -> Result<Option<UserId>, CommandError> {
        let Ok(address) = Email::parse(address) else { return Ok(None) };
        let account = self.account_of(&address).await?;
        Ok(account.filter(|(_, standing)| *standing == Standing::Active).map(|(user, _)| user))
    }
}

fn accepted(event: &Event) -> Option<&organization::InvitationAccepted> {
    let Event::Organization(organization::Event::InvitationAccepted(it)) = event else {
        return None;
    };
    Some(it)
}

fn joined(event: &Event) -> Option<&organization::MemberJoined> {
    let Event::Organization(organization::Event::MemberJoined(it)) = event else { return None };
    Some(it)
}
