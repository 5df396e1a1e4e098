-- Wrapped keys (DESIGN 5), outside the event log, so that erasing one erases what it sealed.
create table store.data_keys (
    id uuid primary key,
    -- Kind and id only, such as `user:123`; never personal data.
    name text collate "C" not null,
    -- Empty once destroyed.
    wrapped bytea not null,
    -- Fingerprint of the root key that wrapped it.
    root_id text not null,
    created_at timestamptz not null default clock_timestamp(),
    retired_at timestamptz,
    destroyed_at timestamptz,
    check (destroyed_at is null or wrapped = '')
);
create unique index data_keys_current on store.data_keys (name) where retired_at is null;
create index data_keys_history on store.data_keys (name, created_at desc);
