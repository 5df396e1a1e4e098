-- Accounts. Personal data is null once its key is destroyed.
create table users (
    id bigint primary key,
    username text,
    email text,
    first_name text,
    last_name text,
    -- What a person is called: both names, else the username (CONTRACT R21).
    full_name text not null generated always as (
        coalesce(nullif(btrim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), username, '')
    ) stored,
    standing text not null check (standing in ('inactive', 'active', 'deactivated')),
    was_activated boolean not null default false,
    refuses_notices boolean not null default false,
    date_joined timestamptz not null,
    last_login timestamptz
);
create index users_date_joined on users (date_joined, id);
