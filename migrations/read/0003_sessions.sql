-- Sign-ins, and the credential epoch of each account, below which a session has ended.
create table sessions (
    id uuid primary key,
    user_id bigint not null,
    method text not null,
    epoch integer not null,
    generation integer not null default 0,
    started_at timestamptz not null,
    last_used_at timestamptz not null,
    ended_at timestamptz,
    end_reason text
);
create index sessions_user on sessions (user_id, started_at);
create index sessions_ended on sessions (ended_at, id) where ended_at is not null;
create index sessions_open on sessions (last_used_at) where ended_at is null;

create table session_epochs (
    user_id bigint primary key,
    epoch integer not null,
    kept uuid
);
