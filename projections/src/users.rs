//! Accounts: who somebody is, and where the account stands.

use async_trait::async_trait;
use keynest_crypto::{Keyring, Subject};
use keynest_domain::key::KeyDestroyed;
use keynest_domain::user::{self, ProfileSynchronised, ProfileUpdated, UserRegistered};
use keynest_domain::{Event, Sealed, Timestamp, UserId, session};
use sqlx::PgConnection;
use sqlx::postgres::PgQueryResult;

use crate::error::{ApplyError, QueryError, one_row};
use crate::page::{Listed, Page};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::Queries;

/// Where an account stands, as far as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserStanding {
    /// Registered, the address not confirmed.
    Inactive,
    /// Good for sign-in.
    Active,
    /// Closed by an administrator or by its owner.
    Deactivated,
    /// Gone for good.
    Erased,
}

/// An account. Texts are empty once the person's key is destroyed.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct UserRow {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    /// First and last name, else the username.
    pub full_name: String,
    pub standing: UserStanding,
    pub refuses_notices: bool,
    pub is_administrator: bool,
    pub date_joined: Timestamp,
    pub last_login: Option<Timestamp>,
}

/// The projection `users`.
pub struct Users;

#[async_trait]
impl Projection for Users {
    fn name(&self) -> &'static str {
        crate::names::USERS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["users"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["user", "session"])
    }

    fn wants(&self, event: &str) -> bool {
        event == "session.started"
            || (event.starts_with("user.")
                && !matches!(
                    event,
                    "user.registration_repeated"
                        | "user.activation_requested"
                        | "user.password_changed"
                        | "user.password_reset_requested"
                        | "user.password_reset"
                        | "user.identity_linked"
                        | "user.identity_unlinked"
                        | "user.totp_enrolled"
                        | "user.totp_used"
                        | "user.passkey_enrolled"
                        | "user.passkey_used"
                        | "user.recovery_codes_made"
                        | "user.recovery_code_used"
                        | "user.factor_removed"
                        | "user.factors_reset"
                        | "user.other_sessions_ended"
                        | "user.new_device_noticed"
                        | "user.password_rehashed"
                        | "user.email_change_requested"
                        | "user.email_change_confirmed"
                        | "user.email_change_cancelled"
                ))
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            if let Event::User(event) = &applied.event {
                apply_user(applied, event, rows, keyring).await?;
            } else if let Event::Session(session::Event::SessionStarted(it)) = &applied.event {
                // A parked account has no row; its sign-ins are not this projection's news.
                let (user, at) = (it.user.get(), column(it.at));
                sqlx::query!("update users set last_login = $2 where id = $1", user, at)
                    .execute(&mut *rows)
                    .await?;
            }
        }
        Ok(())
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        if let Subject::User(user) = key.subject {
            sqlx::query!(
                "update users set username = null, email = null, first_name = null, last_name = null where id = $1",
                user.get()
            )
            .execute(rows)
            .await?;
        }
        Ok(())
    }
}

async fn apply_user(
    applied: &Applied,
    event: &user::Event,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let user = applied.stream_number()?;
    let done = match event {
        user::Event::UserRegistered(it) => return register(applied, it, rows, keyring).await,
        user::Event::ProfileUpdated(it) => return rename(applied, it, rows, keyring).await,
        user::Event::ProfileSynchronised(it) => return follow(applied, it, rows, keyring).await,
        user::Event::EmailChanged(it) => move_to(applied, &it.email, rows, keyring).await?,
        user::Event::EmailChangeUndone(it) => move_to(applied, &it.email, rows, keyring).await?,
        user::Event::UserActivated(_) => set_standing(user, "active", rows).await?,
        user::Event::UserDeactivated(_) => set_standing(user, "deactivated", rows).await?,
        user::Event::UserReactivated(_) => set_standing(user, "reactivated", rows).await?,
        user::Event::UserErased(_) => erase(user, rows).await?,
        user::Event::NoticesSwitched(it) => {
            sqlx::query!("update users set refuses_notices = $2 where id = $1", user, !it.wanted)
                .execute(rows)
                .await?
        }
        user::Event::AdministratorGranted(_) => set_administrator(user, true, rows).await?,
        user::Event::AdministratorRevoked(_) => set_administrator(user, false, rows).await?,
        user::Event::TotpEnrolled(_)
        | user::Event::TotpUsed(_)
        | user::Event::PasskeyEnrolled(_)
        | user::Event::PasskeyUsed(_)
        | user::Event::RecoveryCodesMade(_)
        | user::Event::RecoveryCodeUsed(_)
        | user::Event::FactorRemoved(_)
        | user::Event::FactorsReset(_)
        | user::Event::RegistrationRepeated(_)
        | user::Event::TokenCreated(_)
        | user::Event::TokenRevoked(_)
        | user::Event::ActivationRequested(_)
        | user::Event::PasswordChanged(_)
        | user::Event::PasswordResetRequested(_)
        | user::Event::PasswordReset(_)
        | user::Event::IdentityLinked(_)
        | user::Event::IdentityUnlinked(_)
        | user::Event::OtherSessionsEnded(_)
        | user::Event::NewDeviceNoticed(_)
        | user::Event::PasswordRehashed(_)
        | user::Event::EmailChangeRequested(_)
        | user::Event::EmailChangeConfirmed(_)
        | user::Event::EmailChangeCancelled(_)
        | user::Event::DataExported(_) => return Ok(()),
    };
    one_row(&done, "account")
}

/// The names go with the key, which is destroyed in the same append.
async fn erase(user: i64, rows: &mut PgConnection) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        "update users set standing = 'erased', was_activated = false, is_administrator = false,
             refuses_notices = false, last_login = null
         where id = $1",
        user
    )
    .execute(rows)
    .await
}

/// Opened again, an account stands where it stood before it was closed.
async fn set_standing(
    user: i64,
    standing: &str,
    rows: &mut PgConnection,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!(
        "update users set was_activated = was_activated or $2 = 'active',
             standing = case when $2 <> 'reactivated' then $2 when was_activated then 'active' else 'inactive' end
         where id = $1",
        user,
        standing
    )
    .execute(rows)
    .await
}

async fn set_administrator(
    user: i64,
    is_administrator: bool,
    rows: &mut PgConnection,
) -> Result<PgQueryResult, sqlx::Error> {
    sqlx::query!("update users set is_administrator = $2 where id = $1", user, is_administrator)
        .execute(rows)
        .await
}

async fn register(
    applied: &Applied,
    it: &UserRegistered,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let subject = Subject::User(it.user);
    let username = applied.open(keyring, subject, "username", &it.username).await?;
    let email = applied.open(keyring, subject, "email", &it.email).await?;
    let first_name = applied.open(keyring, subject, "first_name", &it.first_name).await?;
    let last_name = applied.open(keyring, subject, "last_name", &it.last_name).await?;
    sqlx::query!(
        "insert into users (id, username, email, first_name, last_name, standing, date_joined)
         values ($1, $2, $3, $4, $5, 'inactive', $6)",
        it.user.get(),
        username,
        email,
        first_name,
        last_name,
        column(it.at)
    )
    .execute(rows)
    .await?;
    Ok(())
}

/// Names that follow an identity provider's; one that the person chose stays.
async fn follow(
    applied: &Applied,
    it: &ProfileSynchronised,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let (Some(first_name), Some(last_name)) = (&it.first_name, &it.last_name) else {
        return Ok(());
    };
    let names = ProfileUpdated { first_name: first_name.clone(), last_name: last_name.clone() };
    rename(applied, &names, rows, keyring).await
}

async fn move_to(
    applied: &Applied,
    email: &Sealed,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<PgQueryResult, ApplyError> {
    let user = applied.stream_number()?;
    let email = applied.open(keyring, Subject::User(UserId::new(user)), "email", email).await?;
    let moved = sqlx::query!("update users set email = $2 where id = $1", user, email);
    Ok(moved.execute(rows).await?)
}

async fn rename(
    applied: &Applied,
    it: &ProfileUpdated,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    let user = applied.stream_number()?;
    let subject = Subject::User(UserId::new(user));
    let first_name = applied.open(keyring, subject, "first_name", &it.first_name).await?;
    let last_name = applied.open(keyring, subject, "last_name", &it.last_name).await?;
    let done = sqlx::query!(
        "update users set first_name = $2, last_name = $3 where id = $1",
        user,
        first_name,
        last_name
    )
    .execute(rows)
    .await?;
    one_row(&done, "account")
}

/// Reads what [`Users`] writes.
pub(crate) fn standing(stored: &str) -> Result<UserStanding, QueryError> {
    match stored {
        "inactive" => Ok(UserStanding::Inactive),
        "active" => Ok(UserStanding::Active),
        "deactivated" => Ok(UserStanding::Deactivated),
        "erased" => Ok(UserStanding::Erased),
        _ => Err(QueryError::Inconsistent { what: "standing" }),
    }
}

impl UserRow {
    /// Whether the account is good for sign-in.
    pub fn is_active(&self) -> bool {
        self.standing == UserStanding::Active
    }
}

/// Personal data does not print.
impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Queries {
    /// An account by its id, for workers and subcommands: not for callers.
    pub async fn user(&self, user: UserId) -> Result<Option<UserRow>, QueryError> {
        Ok(self.users(Some(user), Page::SINGLE).await?.single())
    }

    /// All accounts, oldest first, for subcommands and administrators: not for other callers.
    pub async fn list_users(&self, page: Page) -> Result<Listed<UserRow>, QueryError> {
        self.users(None, page).await
    }

    async fn users(&self, user: Option<UserId>, page: Page) -> Result<Listed<UserRow>, QueryError> {
        let rows = sqlx::query!(
            r#"select u.id as "id!", coalesce(u.username, '') as "username!", coalesce(u.email, '') as "email!",
                   coalesce(u.first_name, '') as "first_name!", coalesce(u.last_name, '') as "last_name!",
                   u.full_name as "full_name!", u.standing as "standing!",
                   u.refuses_notices as "refuses_notices!", u.is_administrator as "is_administrator!",
                   u.date_joined as "date_joined!", u.last_login,
                   u.n as "n!", u.total as "total!"
               from (select users.*, row_number() over (order by date_joined, id) as n, count(*) over () as total
                     from users where $1::bigint is null or id = $1) u
               where u.n = 1 or (u.n > $2 and u.n <= $3)
               order by u.n limit 1001"#,
            user.map(UserId::get),
            page.before(),
            page.until()
        )
        .fetch_all(self.read())
        .await?;
        Listed::from_numbered(
            rows,
            page,
            |row| (row.n, row.total),
            |row| {
                Ok(UserRow {
                    id: UserId::new(row.id),
                    username: row.username,
                    email: row.email,
                    first_name: row.first_name,
                    last_name: row.last_name,
                    full_name: row.full_name,
                    standing: standing(&row.standing)?,
                    refuses_notices: row.refuses_notices,
                    is_administrator: row.is_administrator,
                    date_joined: row.date_joined.into(),
                    last_login: row.last_login.map(Timestamp::from),
                })
            },
        )
    }
}
