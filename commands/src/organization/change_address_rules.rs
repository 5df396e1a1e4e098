//! An admin says from where members reach the organization; whoever would be locked out by it is told so instead.

use keynest_crypto::{Context, Subject};
use keynest_domain::organization::{Organization, change_address_rules};
use keynest_domain::permission::Denied;
use keynest_domain::{
    AddressMode, AddressRules, AddressVerdict, Aggregate, Event, Invalid, OrganizationId,
    Permission,
};

use crate::{CommandError, Commands, Executed, Origin, Unit, UseCase};

const EVENT: &str = "organization.address_rules_changed";

/// The wish.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ChangeAddressRules {
    pub organization: OrganizationId,
    pub mode: AddressMode,
    pub rules: AddressRules,
}

/// What breaks the glass: the people who run KeyNest let an organization in again.
struct ClearAddressRules(OrganizationId);

impl Commands {
    /// Replaces the rules.
    pub async fn change_address_rules(
        &self,
        origin: &Origin,
        wish: ChangeAddressRules,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &wish).await
    }

    /// Takes all rules away, for an organization that has locked itself out.
    pub async fn clear_address_rules(
        &self,
        origin: &Origin,
        organization: OrganizationId,
    ) -> Result<Executed<()>, CommandError> {
        self.execute(origin, &ClearAddressRules(organization)).await
    }
}

impl UseCase for ChangeAddressRules {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let id = self.organization;
        unit.authorize(id, Permission::UpdateOrganization).await?;
        let client = unit.origin().client.as_ref().and_then(|client| client.address);
        if self.rules.verdict(self.mode, client) == AddressVerdict::Refused {
            let why = Invalid::new(
                "locks_you_out",
                "These rules would lock you out: your own address is not let in.",
            );
            return Err(CommandError::Field { field: "allow", why });
        }
        unit.stage_rules(id, self.mode, &self.rules).await
    }

    fn outcome(&self, _: &[Event]) {}
}

impl UseCase for ClearAddressRules {
    type Outcome = ();

    async fn attempt(&self, unit: &mut Unit<'_>) -> Result<(), CommandError> {
        let state = unit.load::<Organization>(self.0).await?;
        if !state.is_alive() {
            return Err(CommandError::Absent("organization"));
        }
        unit.file_under(self.0);
        unit.stage_rules(self.0, AddressMode::DryRun, &AddressRules::default()).await
    }

    fn outcome(&self, _: &[Event]) {}
}

impl Unit<'_> {
    async fn stage_rules(
        &mut self,
        id: OrganizationId,
        mode: AddressMode,
        rules: &AddressRules,
    ) -> Result<(), CommandError> {
        let state = self.load::<Organization>(id).await?;
        if self.address_rules(id, &state).await? == (mode, rules.clone()) {
            return Ok(());
        }
        let text = serde_json::to_string(rules).expect("ranges are always JSON");
        let subject = Subject::Organization(id);
        let rules = self.seal::<Organization>(subject, id, EVENT, "rules", &text).await?;
        let wish = change_address_rules::ChangeAddressRules { mode, rules };
        self.stage::<Organization>(id, change_address_rules::decide(&state, wish));
        Ok(())
    }

    /// The rules as they stand.
    async fn address_rules(
        &self,
        id: OrganizationId,
        state: &Organization,
    ) -> Result<(AddressMode, AddressRules), CommandError> {
        let Some(changed) = &state.address_rules else { return Ok(Default::default()) };
        let stream = Organization::stream(id);
        let context = Context::new(Subject::Organization(id), stream.clone(), EVENT, "rules");
        let text = self.commands().keyring().open_text(&context, &changed.rules).await?;
        let Some(text) = text else { return Ok(Default::default()) };
        let rules = serde_json::from_str(text.as_str())
            .map_err(|_| CommandError::Damaged(stream.to_string()))?;
        Ok((changed.mode, rules))
    }

    /// Refuses a client whom the organization's rules do not let in. The product itself has no address.
    pub(crate) async fn require_address(
        &self,
        organization: OrganizationId,
        state: &Organization,
    ) -> Result<(), CommandError> {
        let (Some(_), Some(client)) = (&state.address_rules, &self.origin().client) else {
            return Ok(());
        };
        let (mode, rules) = self.address_rules(organization, state).await?;
        match rules.verdict(mode, client.address) {
            AddressVerdict::LetIn => Ok(()),
            AddressVerdict::WouldRefuse => {
                self.origin().visit.note_dry_run(organization);
                Ok(())
            }
            AddressVerdict::Refused => {
                Err(CommandError::Denied { organization, why: Denied::AddressNotAllowed })
            }
        }
    }
}
