//! Rows forget what was sealed under a destroyed key, so that they are what a replay writes: null.

use keynest_domain::key::KeyDestroyed;
use keynest_domain::{OrganizationId, Subject, UserId};
use sqlx::PgConnection;

use crate::error::ApplyError;

/// Details that hold names sealed under the organization's key, in the rows of that organization.
const NAMES: [&str; 8] = [
    "name",
    "old_name",
    "organization",
    "organization_name",
    "project",
    "environment",
    "rules",
    "identity",
];

pub(crate) async fn forget(key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
    match key.subject {
        Subject::User(user) => {
            told_by(user, rows).await?;
            mentions(key.subject, rows).await?;
            fact("user", user.to_string(), rows).await
        }
        Subject::Invitation(invitation) => {
            mentions(key.subject, rows).await?;
            fact("invitation", invitation.to_string(), rows).await
        }
        Subject::Organization(organization) => named_by(organization, rows).await,
        Subject::Day(_) => {
            sqlx::query!(
                "update audit_log set ip_address = null, agent = null where day_key = $1",
                key.key.get()
            )
            .execute(rows)
            .await?;
            Ok(())
        }
        // Values and last letters are never opened here.
        Subject::Environment(_) | Subject::Farewell(_) | Subject::Instance => Ok(()),
    }
}

/// From where a person did something, signed in or not, and from where strangers tried to be that person.
async fn told_by(user: UserId, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!(
        "update audit_log set ip_address = null, agent = null, details = details - 'token'
         where actor_id = $1 or (actor_id is null and account_id = $1)",
        user.get()
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// Where a person or an invited address is mentioned.
async fn mentions(subject: Subject, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!(
        "update audit_log a set details = a.details || o.nulls
         from (select position, jsonb_object_agg(field, null::text) as nulls
               from audit_openings where subject = $1 group by position) o
         where a.position = o.position",
        subject.to_string()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn fact(kind: &str, id: String, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!(
        "update audit_facts set fact = fact - 'name' where kind = $1 and id = $2",
        kind,
        id
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// The names of a team, of its projects and environments.
async fn named_by(id: OrganizationId, rows: &mut PgConnection) -> Result<(), ApplyError> {
    let names = NAMES.map(str::to_owned);
    sqlx::query!(
        "update audit_log set details = details || (
             select coalesce(jsonb_object_agg(name, null::text), '{}') from unnest($2::text[]) name where details ? name)
         where organization_id = $1 and details ?| $2",
        id.get(),
        &names
    )
    .execute(&mut *rows)
    .await?;
    // Who registered founded it without a sign-in.
    sqlx::query!(
        "update audit_log set ip_address = null, agent = null where organization_id = $1 and actor_id is null",
        id.get()
    )
    .execute(&mut *rows)
    .await?;
    sqlx::query!(
        "update audit_facts set fact = fact - 'name'
         where (kind = 'organization' and id = $1)
             or (kind in ('project', 'environment') and fact ? 'organization' and fact ->> 'organization' = $1)",
        id.to_string()
    )
    .execute(rows)
    .await?;
    Ok(())
}
