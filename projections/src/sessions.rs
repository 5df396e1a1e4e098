//! Sign-ins: which ones are good, which have ended, which are due.

use std::collections::BTreeMap;

use async_trait::async_trait;
use keynest_crypto::Keyring;
use keynest_domain::key::KeyDestroyed;
use keynest_domain::session::{self, EndReason};
use keynest_domain::user::Ends;
use keynest_domain::{Event, KeyId, SessionId, Subject, Timestamp, UserId, user};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::audit_log::client::{self, Client};
use crate::error::{ApplyError, QueryError, all_rows, one_row};
use crate::projection::{Applied, Categories, Projection, column};
use crate::queries::Queries;

/// Ended sessions in one answer.
pub const ENDED_MAX: i64 = 100_000;

/// Sessions in the list of one person; older ones are ended by ending all others.
pub const OWN_SESSIONS_MAX: i64 = 1_000;

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

/// A sign-in that lives, as its owner sees it.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "fields are named after what they hold")]
pub struct OwnSession {
    pub id: SessionId,
    pub method: String,
    pub address: Option<String>,
    pub agent: Option<String>,
    pub started_at: Timestamp,
    pub last_used_at: Timestamp,
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

    /// 2: address and agent of sessions that live. 3: whether they began with a second factor.
    fn version(&self) -> i32 {
        3
    }

    fn tables(&self) -> &'static [&'static str] {
        &["sessions", "session_epochs"]
    }

    fn categories(&self) -> Categories {
        Categories::These(&["session", "user"])
    }

    fn wants(&self, event: &str) -> bool {
        matches!(event, "session.started" | "session.refreshed" | "session.ended")
            || user::ENDS_SESSIONS.contains(&event)
    }

    async fn apply(
        &self,
        events: &[Applied],
        rows: &mut PgConnection,
        keyring: &Keyring,
    ) -> Result<(), ApplyError> {
        let mut refreshed = BTreeMap::new();
        for applied in events {
            if let Event::Session(session::Event::SessionRefreshed(it)) = &applied.event {
                refreshed.insert(stream_id(applied)?, it);
                continue;
            }
            write_refreshed(std::mem::take(&mut refreshed), rows).await?;
            if let Event::Session(event) = &applied.event {
                apply_session(applied, event, rows, keyring).await?;
            } else if let Event::User(event) = &applied.event {
                let Some(ends) = event.ends() else { continue };
                raise_epoch(applied, ends, rows).await?;
            }
        }
        write_refreshed(refreshed, rows).await
    }

    async fn forget(&self, key: &KeyDestroyed, rows: &mut PgConnection) -> Result<(), ApplyError> {
        match key.subject {
            Subject::User(user) => {
                let forget = sqlx::query!(
                    "update sessions set address = null, agent = null where user_id = $1 and day_key is null",
                    user.get()
                );
                forget.execute(rows).await?;
            }
            Subject::Day(_) => {
                let forget = sqlx::query!(
                    "update sessions set address = null, agent = null where day_key = $1",
                    key.key.get()
                );
                forget.execute(rows).await?;
            }
            Subject::Farewell(_)
            | Subject::Instance
            | Subject::Organization(_)
            | Subject::Environment(_)
            | Subject::Invitation(_) => {}
        }
        Ok(())
    }
}

async fn apply_session(
    applied: &Applied,
    event: &session::Event,
    rows: &mut PgConnection,
    keyring: &Keyring,
) -> Result<(), ApplyError> {
    match event {
        session::Event::SessionStarted(it) => {
            let client = client::open(&applied.recorded, keyring).await?;
            start(applied, it, client, rows).await
        }
        session::Event::SessionEnded(it) => {
            let done = sqlx::query!(
                "update sessions set ended_at = coalesce(ended_at, $2), end_reason = coalesce(end_reason, $3),
                     address = null, agent = null
                 where id = $1",
                stream_id(applied)?,
                applied.at(),
                reason(it.reason)
            )
            .execute(rows)
            .await?;
            one_row(&done, "session")
        }
        // Refreshes are written many at a time.
        session::Event::SessionRefreshed(_)
        | session::Event::SessionReauthenticated(_)
        | session::Event::RefreshTokenReuseDetected(_) => Ok(()),
    }
}

/// What happens most, so in one statement: of several refreshes of a session the last one stands.
async fn write_refreshed(
    refreshed: BTreeMap<Uuid, &session::SessionRefreshed>,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    if refreshed.is_empty() {
        return Ok(());
    }
    let mut generations = Vec::with_capacity(refreshed.len());
    for it in refreshed.values() {
        generations.push(integer(it.generation)?);
    }
    let times: Vec<OffsetDateTime> = refreshed.values().map(|it| column(it.at)).collect();
    let ids: Vec<Uuid> = refreshed.into_keys().collect();
    let done = sqlx::query!(
        "update sessions s set generation = r.generation, last_used_at = r.at
         from unnest($1::uuid[], $2::integer[], $3::timestamptz[]) as r(id, generation, at) where s.id = r.id",
        &ids,
        &generations,
        &times
    )
    .execute(rows)
    .await?;
    all_rows(&done, ids.len(), "session")
}

/// A sign-in that raced a change of credentials has ended before it began. Address and agent are kept while the session
/// lives.
async fn start(
    applied: &Applied,
    it: &session::SessionStarted,
    client: Client,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "insert into sessions (id, user_id, method, epoch, started_at, last_used_at, ended_at, end_reason,
             address, agent, day_key, has_second_factor)
         select $1, $2::bigint, $6, $3::integer, $4::timestamptz, $4::timestamptz,
             case when is_late then $5::timestamptz end, case when is_late then 'credentials_changed' end,
             case when not is_late then $7::text end, case when not is_late then $8::text end, $9::uuid, $10::boolean
         from (select exists (select from session_epochs e
                              where e.user_id = $2::bigint and e.epoch > $3::integer) as is_late) late",
        it.session.get(),
        it.user.get(),
        integer(it.epoch)?,
        column(it.at),
        applied.at(),
        it.method.name(),
        client.address,
        client.agent,
        client::day_key(&applied.recorded).map(KeyId::get),
        it.second_factor.is_some()
    )
    .execute(rows)
    .await?;
    Ok(())
}

async fn raise_epoch(
    applied: &Applied,
    Ends { epoch, kept, reason, .. }: Ends,
    rows: &mut PgConnection,
) -> Result<(), ApplyError> {
    sqlx::query!(
        "with risen as (
             insert into session_epochs (user_id, epoch, kept) values ($1, $2, $3)
             on conflict (user_id) do update set epoch = excluded.epoch, kept = excluded.kept)
         update sessions set ended_at = $4, end_reason = $5, address = null, agent = null
         where user_id = $1 and ended_at is null and epoch < $2 and id is distinct from $3",
        applied.stream_number()?,
        integer(epoch)?,
        kept.map(SessionId::get),
        applied.at(),
        self::reason(reason)
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

    /// The sessions of a person that live at this time, the last used first; at most [`OWN_SESSIONS_MAX`].
    pub async fn own_sessions(
        &self,
        user: UserId,
        lifetimes: &session::Lifetimes,
        now: Timestamp,
    ) -> Result<Vec<OwnSession>, QueryError> {
        let rows = sqlx::query!(
            "select id, method, address, agent, started_at, last_used_at from sessions
             where user_id = $1 and ended_at is null and last_used_at > $2 and started_at > $3
             order by last_used_at desc, id limit $4",
            user.get(),
            column(now - lifetimes.idle),
            column(now - lifetimes.absolute),
            OWN_SESSIONS_MAX
        )
        .fetch_all(self.read())
        .await?;
        let sessions = rows.into_iter().map(|row| OwnSession {
            id: SessionId::new(row.id),
            method: row.method,
            address: row.address,
            agent: row.agent,
            started_at: row.started_at.into(),
            last_used_at: row.last_used_at.into(),
        });
        Ok(sessions.collect())
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
