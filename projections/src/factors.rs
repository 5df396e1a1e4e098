//! Second factors as their owners see them: names and dates, never secrets.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::user::{Event as UserEvent, factors};
use keynest_domain::{Event, FactorId, Sealed, Timestamp, UserId};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::Queries;

/// Factors in one answer; the domain allows fewer.
const FACTORS_LISTED_MAX: i64 = 100;

/// An app or a passkey.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct FactorRow {
    pub id: FactorId,
    /// `totp` or `passkey`.
    pub kind: String,
    pub name: String,
    pub enrolled_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// What an account can prove itself with besides its first factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FactorList {
    /// Oldest first.
    pub factors: Vec<FactorRow>,
    /// Codes that were not used yet.
    pub recovery_codes_left: u32,
}

/// The projection `factors`.
pub struct Factors;

#[async_trait]
impl Projection for Factors {
    fn name(&self) -> &'static str {
        crate::names::FACTORS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["factors", "recovery_codes"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["user"])
    }

    fn wants(&self, event: &str) -> bool {
        matches!(
            event,
            "user.activated"
                | "user.erased"
                | "user.totp_enrolled"
                | "user.totp_used"
                | "user.passkey_enrolled"
                | "user.passkey_used"
                | "user.recovery_codes_made"
                | "user.recovery_code_used"
                | "user.factor_removed"
                | "user.factors_reset"
        )
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            let Event::User(event) = &applied.event else { continue };
            let user = applied.stream_number()?;
            if let UserEvent::TotpEnrolled(it) = event {
                enrol(applied, (it.factor, "totp", &it.name, it.at), rows, keyring).await?;
            } else if let UserEvent::PasskeyEnrolled(it) = event {
                enrol(applied, (it.factor, "passkey", &it.name, it.at), rows, keyring).await?;
            } else if let UserEvent::TotpUsed(it) = event {
                used(it.factor, it.at, rows).await?;
            } else if let UserEvent::PasskeyUsed(it) = event {
                used(it.factor, it.at, rows).await?;
            } else if let UserEvent::FactorRemoved(it) = event {
                remove(user, it, rows).await?;
            } else if let UserEvent::RecoveryCodesMade(it) = event {
                codes(user, it.count, it.at, rows).await?;
            } else if let UserEvent::RecoveryCodeUsed(it) = event {
                let left = i32::from(it.left);
                sqlx::query!(
                    "update recovery_codes set codes_left = $2 where user_id = $1",
                    user,
                    left
                )
                .execute(&mut *rows)
                .await?;
            } else if let UserEvent::UserActivated(_)
            | UserEvent::UserErased(_)
            | UserEvent::FactorsReset(_) = event
            {
                // Nothing but the password outlives the proof of the address, and nothing at all the end.
                wipe(user, rows).await?;
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::User(user) = key.subject {
            sqlx::query!("update factors set name = null where user_id = $1", user.get())
                .execute(rows)
                .await?;
        }
        Ok(())
    }
}

async fn enrol(
    applied: &Applied,
    (factor, kind, name, at): (FactorId, &str, &Sealed, Timestamp),
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let user = applied.stream_number()?;
    let name = applied.open(keyring, Subject::User(UserId::new(user)), "name", name).await?;
    sqlx::query!(
        "insert into factors (id, user_id, kind, name, enrolled_at) values ($1, $2, $3, $4, $5)",
        factor.get(),
        user,
        kind,
        name,
        column(at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn used(factor: FactorId, at: Timestamp, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!("update factors set last_used_at = $2 where id = $1", factor.get(), column(at))
        .execute(rows)
        .await?;
    Ok(())
}

async fn remove(
    user: i64,
    it: &factors::FactorRemoved,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    if it.left == 0 {
        return wipe(user, rows).await;
    }
    sqlx::query!("delete from factors where id = $1", it.factor.get()).execute(rows).await?;
    Ok(())
}

async fn codes(
    user: i64,
    count: u8,
    at: Timestamp,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into recovery_codes (user_id, codes_left, made_at) values ($1, $2, $3)
         on conflict (user_id) do update set codes_left = excluded.codes_left, made_at = excluded.made_at",
        user,
        i32::from(count),
        column(at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn wipe(user: i64, rows: &mut PgConnection) -> Result<(), ApplyError> {
    sqlx::query!(
        "with gone as (delete from recovery_codes where user_id = $1) delete from factors where user_id = $1",
        user
    )
    .execute(rows)
    .await?;
    Ok(())
}

impl Queries {
    /// The caller's own factors.
    pub async fn list_factors(&self, user: UserId) -> Result<FactorList, QueryError> {
        let rows = sqlx::query!(
            r#"select f.id as "id?", f.kind as "kind?", coalesce(f.name, '') as "name!",
                   f.enrolled_at as "enrolled_at?", f.last_used_at as "last_used_at?", c.codes_left
               from recovery_codes c left join factors f on f.user_id = c.user_id
               where c.user_id = $1 order by f.enrolled_at, f.id limit $2"#,
            user.get(),
            FACTORS_LISTED_MAX
        )
        .fetch_all(self.read())
        .await?;
        let mut list = FactorList::default();
        for row in rows {
            list.recovery_codes_left = u32::try_from(row.codes_left).unwrap_or(0);
            if let (Some(id), Some(kind), Some(at)) = (row.id, row.kind, row.enrolled_at) {
                list.factors.push(FactorRow {
                    id: FactorId::new(id),
                    kind,
                    name: row.name,
                    enrolled_at: at.into(),
                    last_used_at: row.last_used_at.map(Timestamp::from),
                });
            }
        }
        Ok(list)
    }
}
