//! `GET` and `PUT organizations/{id}/address-rules/`: from where members reach a team. Admins only.

use std::net::IpAddr;

use axum::extract::State;
use axum::http::StatusCode;
use ipnet::IpNet;
use keynest_commands::organization::ChangeAddressRules;
use keynest_domain::{
    ADDRESS_RANGES_MAX, AddressMode, AddressRules, Invalid, OrganizationId, Permission, parse_range,
};
use keynest_projections::AddressRulesRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::core::given::Check;
use crate::core::{MODELS, require};
use crate::extract::{Caller, Json, Path, Text};
use crate::reply::Shown;
use crate::{App, Done, Problem};

#[derive(Deserialize, ToSchema)]
#[schema(as = AddressRulesReplacement)]
pub struct Request {
    /// `dry_run` records in the audit log what would be refused; `enforced` refuses.
    #[schema(value_type = String, example = "dry_run")]
    mode: Text,
    /// Ranges that are let in; none: all that are not denied.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    allow: Vec<Text>,
    /// Ranges that are never let in.
    #[serde(default)]
    #[schema(value_type = Vec<String>, max_items = 100)]
    deny: Vec<Text>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AddressRules)]
pub struct Response {
    mode: &'static str,
    allow: Vec<String>,
    deny: Vec<String>,
    /// Where KeyNest sees the caller.
    your_address: String,
}

impl Request {
    fn parse(&self, id: i64) -> Result<ChangeAddressRules, Problem> {
        let mut check = Check::default();
        let mode = check.field("mode", &self.mode, |text| {
            AddressMode::parse(text)
                .ok_or_else(|| Invalid::new("invalid", "Must be dry_run or enforced."))
        });
        if self.allow.len() + self.deny.len() > ADDRESS_RANGES_MAX {
            check.fail("allow", format!("At most {ADDRESS_RANGES_MAX} ranges together."));
        }
        let allow = ranges(&mut check, "allow", &self.allow);
        let deny = ranges(&mut check, "deny", &self.deny);
        let organization = OrganizationId::new(id);
        let rules = AddressRules { allow, deny };
        check.done(mode.map(|mode| ChangeAddressRules { organization, mode, rules }))
    }
}

/// The good ranges, in order and each once; the first bad one is named.
fn ranges(check: &mut Check, name: &'static str, texts: &[Text]) -> Vec<IpNet> {
    let parsed = texts.iter().take(ADDRESS_RANGES_MAX).map(|text| parse_range(&text.0));
    let mut ranges = check.kept(name, parsed.collect::<Result<Vec<_>, _>>()).unwrap_or_default();
    ranges.sort_unstable();
    ranges.dedup();
    ranges
}

impl Response {
    fn of(caller: &Caller, row: AddressRulesRow) -> Self {
        let AddressRulesRow { mode, allow, deny, .. } = row;
        let address = caller.reader().address();
        let your_address = address.as_ref().map(IpAddr::to_string).unwrap_or_default();
        Self { mode: mode.name(), allow, deny, your_address }
    }
}

/// The address rules of an organization.
#[utoipa::path(
    get, path = "/organizations/{id}/address-rules/", tag = "organizations",
    operation_id = "show_address_rules", params(("id" = i64, Path)), responses(
        (status = 200, body = Response),
        (status = 403, description = "`role_too_weak`, `address_not_allowed`"),
    ),
    security(("bearer" = [])),
)]
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Response>, Problem> {
    let organization = OrganizationId::new(id);
    let row = app.queries.address_rules(caller.reader(), organization).await?;
    require(organization, row.as_ref().map(|row| row.role), Permission::UpdateOrganization)?;
    crate::core::found(row.map(|row| Json(Response::of(&caller, row))))
}

/// Replaces the address rules of an organization. Rules that would lock the caller out are refused.
#[utoipa::path(
    put, path = "/organizations/{id}/address-rules/", tag = "organizations",
    operation_id = "replace_address_rules", params(("id" = i64, Path)), request_body = Request,
    responses(
        (status = 200, body = Shown<Response>),
        (status = 400, description = "`validation`: also where the rules would lock the caller out"),
        (status = 403, description = "`role_too_weak`, `address_not_allowed`"),
    ),
    security(("bearer" = [])),
)]
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Json(request): Json<Request>,
) -> Result<Done<Response>, Problem> {
    let wish = request.parse(id)?;
    let organization = wish.organization;
    let changed = app.commands.change_address_rules(&caller.origin, wish).await?;
    let load = || async {
        let row = app.queries.address_rules(caller.reader(), organization).await?;
        Ok(row.map(|row| Response::of(&caller, row)))
    };
    app.answer(StatusCode::OK, changed.position, MODELS, id, load).await
}
