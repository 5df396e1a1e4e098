//! Accounts at identity providers that sign in to an account here.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::user::{self, IdentityLinked, ProfileSynchronised};
use keynest_domain::{Event, IdentityId, ProviderName, Timestamp, UserId};
use sqlx::PgConnection;

use crate::error::{ApplyError, QueryError, one_row};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::Queries;

/// Identities in one answer; no account has as many.
pub const IDENTITIES_LISTED_MAX: i64 = 100;

/// An account at an identity provider. Texts are empty once the person's key is destroyed.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct IdentityRow {
    pub id: IdentityId,
    pub provider: String,
    /// The address that the provider knew when it was linked.
    pub address: Option<String>,
    pub avatar_url: Option<String>,
    pub linked_at: Timestamp,
}

/// The projection `identities`.
pub struct Identities;

#[async_trait]
impl Projection for Identities {
    fn name(&self) -> &'static str {
        crate::names::IDENTITIES
    }

    fn tables(&self) -> &'static [&'static str] {
        &["identities"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["user"])
    }

    fn wants(&self, event: &str) -> bool {
        matches!(
            event,
            "user.activated"
                | "user.erased"
                | "user.identity_linked"
                | "user.identity_unlinked"
                | "user.profile_synchronised"
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
            if let user::Event::IdentityLinked(it) = event {
                link(applied, it, rows, keyring).await?;
            } else if let user::Event::ProfileSynchronised(it) = event {
                synchronise(applied, it, rows, keyring).await?;
            } else if let user::Event::IdentityUnlinked(it) = event {
                let done = sqlx::query!("delete from identities where id = $1", it.identity.get())
                    .execute(&mut *rows)
                    .await?;
                one_row(&done, "identity")?;
            } else if let user::Event::UserActivated(_) | user::Event::UserErased(_) = event {
                // What was linked before the address was proved is wiped, as in the domain; at the end everything is.
                let user = applied.stream_number()?;
                sqlx::query!("delete from identities where user_id = $1", user)
                    .execute(&mut *rows)
                    .await?;
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::User(user) = key.subject {
            sqlx::query!(
                "update identities set address = null, avatar_url = null where user_id = $1",
                user.get()
            )
            .execute(rows)
            .await?;
        }
        Ok(())
    }
}

async fn link(
    applied: &Applied,
    it: &IdentityLinked,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let user = applied.stream_number()?;
    let address = match &it.address {
        Some(sealed) => {
            let subject = Subject::User(UserId::new(user));
            applied.open(keyring, subject, "address", sealed).await?
        }
        None => None,
    };
    sqlx::query!(
        "insert into identities (id, user_id, provider, address, linked_at)
         values ($1, $2, $3, $4, $5)",
        it.identity.get(),
        user,
        it.provider.as_str(),
        address,
        column(it.at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn synchronise(
    applied: &Applied,
    it: &ProfileSynchronised,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::User(UserId::new(applied.stream_number()?));
    let avatar_url = match &it.avatar_url {
        Some(sealed) => applied.open(keyring, subject, "avatar_url", sealed).await?,
        None => None,
    };
    let done = sqlx::query!(
        "update identities set avatar_url = $2 where id = $1",
        it.identity.get(),
        avatar_url
    )
    .execute(rows)
    .await?;
    one_row(&done, "identity")
}

impl Queries {
    /// How many accounts have an identity at a provider, and the first of them.
    pub async fn accounts_of_provider(
        &self,
        provider: &ProviderName,
        listed_max: i64,
    ) -> Result<(u32, Vec<UserId>), QueryError> {
        let rows = sqlx::query!(
            r#"select user_id, count(*) over () as "total!" from
                   (select distinct user_id from identities where provider = $1) accounts
               order by user_id limit $2"#,
            provider.as_str(),
            listed_max
        )
        .fetch_all(self.read())
        .await?;
        let total = rows.first().map_or(0, |row| row.total);
        let people = rows.iter().map(|row| UserId::new(row.user_id));
        Ok((u32::try_from(total).unwrap_or(u32::MAX), people.collect()))
    }

    /// The caller's own, in the order in which they were linked.
    pub async fn list_identities(&self, user: UserId) -> Result<Vec<IdentityRow>, QueryError> {
        let rows = sqlx::query!(
            "select id, provider, address, avatar_url, linked_at from identities
             where user_id = $1 order by linked_at, id limit $2",
            user.get(),
            IDENTITIES_LISTED_MAX
        )
        .fetch_all(self.read())
        .await?;
        let row = rows.into_iter().map(|row| IdentityRow {
            id: IdentityId::new(row.id),
            provider: row.provider,
            address: row.address,
            avatar_url: row.avatar_url,
            linked_at: row.linked_at.into(),
        });
        Ok(row.collect())
    }
}

/// Personal data does not print.
impl std::fmt::Debug for IdentityRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityRow").field("id", &self.id).finish_non_exhaustive()
    }
}
