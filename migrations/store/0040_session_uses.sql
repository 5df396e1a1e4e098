-- When a session's access tokens were last used: noted once a minute at most, and no event (DESIGN 12).
create table store.session_uses (
    session_id uuid primary key,
    used_at timestamptz not null
);
create index session_uses_age on store.session_uses (used_at);
