//! A whole environment, for a file.

use keynest_domain::{EnvironmentId, OrganizationId, ProjectId, Role, Sealed, VariableId};
use keynest_store::Revision;

use crate::error::QueryError;
use crate::queries::{Queries, count, role};
use crate::reader::Reader;

/// Variables in one file.
pub const EXPORT_MAX: i64 = 10_000;

/// An environment with all its variables, values sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct Export {
    /// The caller's.
    pub role: Role,
    pub organization: OrganizationId,
    /// Of the organization's stream, for the check when the export is recorded.
    pub organization_revision: Revision,
    pub project: ProjectId,
    pub project_name: String,
    pub environment: EnvironmentId,
    pub environment_name: String,
    /// By key.
    pub variables: Vec<ExportedVariable>,
}

/// A variable for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct ExportedVariable {
    pub id: VariableId,
    pub key: String,
    pub value: Sealed,
    pub version: u32,
}

impl Queries {
    /// An environment of the caller's teams with at most [`EXPORT_MAX`] variables; `None` for everybody else's.
    pub async fn export(
        &self,
        reader: impl Into<Reader>,
        id: EnvironmentId,
    ) -> Result<Option<Export>, QueryError> {
        let reader = reader.into();
        let rows = sqlx::query!(
            r#"select e.id, coalesce(e.name, '') as "environment_name!", p.id as project_id,
                   coalesce(p.name, '') as "project_name!", o.id as organization_id, o.revision, m.role,
                   verdict as "verdict!",
                   v.id as "variable_id?", v.key as "key?", v.value as "value?", v.version as "version?"
               from environments e
               join projects p on p.id = e.project_id
               join organizations o on o.id = p.organization_id
               join memberships m on m.organization_id = o.id and m.user_id = $1
               cross join lateral read_verdict(o.address_mode, o.address_allow, o.address_deny, o.requires_second_factor, $7::text::jsonb) verdict
               left join variables v on v.environment_id = e.id
               where e.id = $2 and ($4::bigint[] is null or o.id = any($4) or p.id = any($5) or e.id = any($6))
               order by v.key limit $3"#,
            reader.user().get(),
            id.get(),
            EXPORT_MAX + 1,
            reader.whole_organizations(),
            reader.whole_projects(),
            reader.environments(),
            reader.who()
        )
        .fetch_all(self.read())
        .await?;
        if i64::try_from(rows.len()).is_ok_and(|found| found > EXPORT_MAX) {
            return Err(QueryError::TooMany { what: "variables in one file", max: EXPORT_MAX });
        }
        let Some(first) = rows.first() else { return Ok(None) };
        reader.admit(OrganizationId::new(first.organization_id), &first.verdict)?;
        let mut export = Export {
            role: role(&first.role)?,
            organization: OrganizationId::new(first.organization_id),
            organization_revision: Revision::new(count(first.revision)),
            project: ProjectId::new(first.project_id),
            project_name: first.project_name.clone(),
            environment: EnvironmentId::new(first.id),
            environment_name: first.environment_name.clone(),
            variables: Vec::with_capacity(rows.len()),
        };
        for row in rows {
            let (Some(variable), Some(key), Some(value), Some(version)) =
                (row.variable_id, row.key, row.value, row.version)
            else {
                continue;
            };
            export.variables.push(ExportedVariable {
                id: VariableId::new(variable),
                key,
                value: Sealed::from_bytes(value),
                version: count(i64::from(version)),
            });
        }
        Ok(Some(export))
    }
}
