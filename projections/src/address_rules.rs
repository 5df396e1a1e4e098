//! From where members reach a team.

use keynest_crypto::{Keyring, Subject};
use keynest_domain::organization::AddressRulesChanged;
use keynest_domain::{AddressMode, AddressRules, OrganizationId, Role, parse_range};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError};
use crate::projection::Applied;
use crate::queries::{Queries, role};
use crate::reader::Reader;

/// The rules of a team as one of its members sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct AddressRulesRow {
    /// The caller's.
    pub role: Role,
    pub mode: AddressMode,
    pub allow: Vec<String>,
    pub deny: Vec<String>,
}

impl Queries {
    /// The address rules of a team of the caller; `None` for everybody else's.
    pub async fn address_rules(
        &self,
        reader: impl Into<Reader>,
        id: OrganizationId,
    ) -> Result<Option<AddressRulesRow>, QueryError> {
        let reader = reader.into();
        let row = sqlx::query!(
            r#"select m.role, o.address_mode, o.address_allow::text[] as "allow!", o.address_deny::text[] as "deny!",
                   read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $3::text::jsonb) as "verdict!"
               from memberships m join organizations o on o.id = m.organization_id
               where m.user_id = $1 and m.organization_id = $2 order by o.id limit 1"#,
            reader.user().get(),
            id.get(),
            reader.who()
        )
        .fetch_optional(self.read())
        .await?;
        let Some(row) = row else { return Ok(None) };
        reader.admit(id, &row.verdict)?;
        let mode = AddressMode::parse(&row.address_mode)
            .ok_or(QueryError::Inconsistent { what: "address mode" })?;
        Ok(Some(AddressRulesRow {
            role: role(&row.role)?,
            mode,
            allow: whole(row.allow)?,
            deny: whole(row.deny)?,
        }))
    }
}

/// Ranges as they were given: Postgres leaves the prefix of a single address away.
fn whole(ranges: Vec<String>) -> Result<Vec<String>, QueryError> {
    let parsed = ranges.iter().map(|text| parse_range(text).map(|range| range.to_string()));
    parsed.collect::<Result<_, _>>().map_err(|_| QueryError::Inconsistent { what: "address range" })
}

/// Rules whose key is destroyed let everybody in: nobody reaches such an organization anyway.
pub(crate) async fn change(
    applied: &Applied,
    it: &AddressRulesChanged,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let id = applied.stream_number()?;
    let subject = Subject::Organization(OrganizationId::new(id));
    let rules = match applied.open(keyring, subject, "rules", &it.rules).await? {
        None => AddressRules::default(),
        Some(text) => serde_json::from_str(&text)
            .map_err(|_| ApplyError::failing("the address rules are not readable"))?,
    };
    let texts = |ranges: &[ipnet::IpNet]| ranges.iter().map(ToString::to_string).collect();
    let (allow, deny): (Vec<String>, Vec<String>) = (texts(&rules.allow), texts(&rules.deny));
    sqlx::query!(
        "update organizations set address_mode = $2, address_allow = $3::text[]::inet[],
             address_deny = $4::text[]::inet[] where id = $1",
        id,
        it.mode.name(),
        &allow,
        &deny
    )
    .execute(rows)
    .await?;
    Ok(())
}
