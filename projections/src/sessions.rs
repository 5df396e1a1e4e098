//! Sign-ins: which ones are good, which have ended, which are due.

use async_trait::async_trait;
use keynest_crypto::Keyring;
use keynest_domain::key::KeyDestroyed;
use keynest_domain::session::{self, EndReason};
use keynest_domain::{Event, SessionId, Timestamp, UserId, user};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::{ApplyError, QueryError, one_row};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::Queries;

/// Ended sessions in one answer.
pub const ENDED_MAX: i64 = 100_000;

/// A sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct SessionRow {
    pub id: SessionId,
    pub user: UserId,
    /// How the person signed in: `password`, `federated`, `passkey`.
    pub method: String,
    pub epoch: u32,
    pub generation: u32,
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// `signed_out`, `token_reuse`, `expired`, `credentials_changed`.
    pub end_reason: Option<String>,
}

/// A session none of whose tokens is good any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct EndedSession {
    pub session: SessionId,
    pub ended_at: Timestamp,
}

/// The projection `sessions`. A rise of an account's credential epoch ends its older sessions here as
/// it does in the domain, without an event per session.
pub struct Sessions;

#[async_trait]
impl Projection for Sessions {
    fn name(&self) -> &'static str {
        crate::names::SESSIONS
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sessions", "session_epochs"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["session", "user"])
    }

    fn wants(&self, event: &str) -> bool {
        const EPOCH_RISES: [&str; 3] =
            ["user.password_changed", "user.password_reset", "user.deactivated"];
        matches!(event, "session.started" | "session.refreshed" | "session.ended")
            || EPOCH_RISES.contains(&event)
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        _: &Keyring,
    ) -> Result<(), ApplyError> {
        for applied in events {
            if let Event::Session(event) = &applied.event {
                apply_session(applied, event, rows).await?;
            } else if let Event::User(event) = &applied.event {
                let rise = match event {
                    user::Event::PasswordChanged(it) => (it.epoch, it.kept),
                    user::Event::PasswordReset(it) => (it.epoch, None),
                    user::Event::UserDeactivated(it) => (it.epoch, None),
                    user::Event::UserRegistered(_)
                    | user::Event::RegistrationRepeated(_)
                    | user::Event::ActivationRequested(_)
                    | user::Event::UserActivated(_)
                    | user::Event::ProfileUpdated(_)
                    | user::Event::PasswordResetRequested(_)
                    | user::Event::UserReactivated(_)
                    | user::Event::TotpEnrolled(_)
                    | user::Event::TotpUsed(_)
                    | user::Event::PasskeyEnrolled(_)
                    | user::Event::PasskeyUsed(_)
                    | user::Event::RecoveryCodesMade(_)
                    | user::Event::RecoveryCodeUsed(_)
                    | user::Event::FactorRemoved(_)
                    | user::Event::NoticesSwitched(_)
                    | user::Event::AdministratorGranted(_)
                    | user::Event::AdministratorRevoked(_)
                    | user::Event::IdentityLinked(_)
                    | user::Event::IdentityUnlinked(_)
                    | user::Event::ProfileSynchronised(_) => continue,
                };
                raise_epoch(applied, rise, rows).await?;
            }
        }
        Ok(())
    }

    /// Nothing is opened here.
    async fn forget(&self, _: &KeyDestroyed, _: &mut PgConnection) -> Result<(), ApplyError> {
        Ok(())
    }
}

async fn apply_session(
    applied: &Applied,
    event: &session::Event,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    match event {
        session::Event::SessionStarted(it) => start(applied.at(), it, rows).await,
        session::Event::SessionRefreshed(it) => {
            let done = sqlx::query!(
                "update sessions set generation = $2, last_used_at = $3 where id = $1",
                stream_id(applied)?,
                integer(it.generation)?,
                column(it.at)
            )
            .execute(rows)
            .await?;
            one_row(&done, "session")
        }
        session::Event::SessionEnded(it) => {
            let done = sqlx::query!(
                "update sessions set ended_at = coalesce(ended_at, $2), end_reason = coalesce(end_reason, $3)
                 where id = $1",
                stream_id(applied)?,
                applied.at(),
                reason(it.reason)
            )
            .execute(rows)
            .await?;
            one_row(&done, "session")
        }
        session::Event::SessionReauthenticated(_)
        | session::Event::RefreshTokenReuseDetected(_) => Ok(()),
    }
}

/// A sign-in that raced a change of credentials has ended before it began.
async fn start(
    at: OffsetDateTime,
    it: &session::SessionStarted,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into sessions (id, user_id, method, epoch, started_at, last_used_at, ended_at, end_reason)
         select $1, $2::bigint, $6, $3::integer, $4::timestamptz, $4::timestamptz,
             case when is_late then $5::timestamptz end, case when is_late then 'credentials_changed' end
         from (select exists (select from session_epochs e
                              where e.user_id = $2::bigint and e.epoch > $3::integer) as is_late) late",
        it.session.get(),
        it.user.get(),
        integer(it.epoch)?,
        column(it.at),
        at,
        it.method.name()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn raise_epoch(
    applied: &Applied,
    (epoch, kept): (u32, Option<SessionId>),
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "with risen as (
             insert into session_epochs (user_id, epoch, kept) values ($1, $2, $3)
             on conflict (user_id) do update set epoch = excluded.epoch, kept = excluded.kept)
         update sessions set ended_at = $4, end_reason = 'credentials_changed'
         where user_id = $1 and ended_at is null and epoch < $2 and id is distinct from $3",
        applied.stream_number()?,
        integer(epoch)?,
        kept.map(SessionId::get),
        applied.at()
    )
    .execute(rows)
    .await?;
    Ok(())
}

fn stream_id(applied: &Applied) -> Result<Uuid, ApplyError> {
    let id = applied.recorded.stream.id();
    Uuid::parse_str(id).map_err(|_| ApplyError::failing("the stream's name has no UUID"))
}

fn integer(number: u32) -> Result<i32, ApplyError> {
    i32::try_from(number).map_err(|_| ApplyError::failing("a number is above 2^31"))
}

fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::SignedOut => "signed_out",
        EndReason::TokenReuse => "token_reuse",
        EndReason::Expired => "expired",
        EndReason::CredentialsChanged => "credentials_changed",
    }
}

impl Queries {
    /// A sign-in, for the check of access tokens: not for callers.
    pub async fn session(&self, session: SessionId) -> Result<Option<SessionRow>, QueryError> {
        let row = sqlx::query!(
            "select id, user_id, method, epoch, generation, started_at, last_used_at, ended_at, end_reason
             from sessions where id = $1 limit 1",
            session.get()
        )
        .fetch_optional(self.read())
        .await?;
        Ok(row.map(|row| SessionRow {
            id: SessionId::new(row.id),
            user: UserId::new(row.user_id),
            method: row.method,
            epoch: u32::try_from(row.epoch).unwrap_or(0),
            generation: u32::try_from(row.generation).unwrap_or(0),
            started_at: row.started_at.into(),
            last_used_at: row.last_used_at.into(),
            ended_at: row.ended_at.map(Timestamp::from),
            end_reason: row.end_reason,
        }))
    }

    /// Sessions that ended at this time or later, for replicas that start; at most [`ENDED_MAX`].
    pub async fn ended_since(&self, since: Timestamp) -> Result<Vec<EndedSession>, QueryError> {
        let rows = sqlx::query!(
            r#"select id, ended_at as "ended_at!" from sessions where ended_at >= $1
               order by ended_at, id limit $2"#,
            column(since),
            ENDED_MAX + 1
        )
        .fetch_all(self.read())
        .await?;
        if i64::try_from(rows.len()).is_ok_and(|found| found > ENDED_MAX) {
            return Err(QueryError::TooMany { what: "ended sessions", max: ENDED_MAX });
        }
        let ended = rows.into_iter().map(|row| EndedSession {
            session: SessionId::new(row.id),
            ended_at: row.ended_at.into(),
        });
        Ok(ended.collect())
    }

    /// Open sessions past their idle or absolute lifetime, for the janitor.
    pub async fn expired_sessions(
        &self,
        lifetimes: &session::Lifetimes,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<SessionId>, QueryError> {
        let rows = sqlx::query_scalar!(
            "select id from sessions where ended_at is null and (last_used_at <= $1 or started_at <= $2)
             order by last_used_at, id limit $3",
            column(now - lifetimes.idle),
            column(now - lifetimes.absolute),
            i64::from(limit)
        )
        .fetch_all(self.read())
        .await?;
        Ok(rows.into_iter().map(SessionId::new).collect())
    }
}
