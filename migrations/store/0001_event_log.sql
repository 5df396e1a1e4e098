-- The event log (DESIGN 4). Every append locks the one row of `log` from its first statement to its commit, so positions
-- are handed out without gaps and become visible in their order.
create table store.log (
    only_row boolean primary key default true check (only_row),
    position bigint not null default 0 check (position >= 0),
    -- Highest stream id handed out.
    streams bigint not null default 0 check (streams >= 0),
    last_recorded_at timestamptz not null default 'epoch',
    -- The life of the log, new after a restore.
    incarnation uuid not null default gen_random_uuid(),
    schema_version integer not null default 1
) with (fillfactor = 10);

insert into store.log default values;

create table store.streams (
    id bigint primary key,
    name text collate "C" not null unique,
    -- The number of its events.
    revision bigint not null check (revision > 0)
) with (fillfactor = 80);

create table store.commands (
    command_id uuid primary key,
    -- Of its first event.
    position bigint not null check (position > 0),
    -- Of its events.
    count integer not null check (count > 0)
);

create table store.claims (
    key text collate "C" primary key,
    stream_id bigint not null
);

-- Rows are never changed. Columns stand by alignment, widest first.
create table store.events (
    position bigint primary key,
    stream_id bigint not null,
    revision bigint not null,
    recorded_at timestamptz not null,
    actor bigint,
    organization bigint,
    event_id uuid not null,
    command_id uuid not null,
    session uuid,
    request uuid,
    causation uuid,
    correlation uuid,
    version integer not null,
    -- 1: JSON.
    content_type smallint not null check (content_type = 1),
    type text collate "C" not null,
    client bytea,
    data bytea not null,
    unique (stream_id, revision)
);
-- Payloads are mostly ciphertext: trying to compress them costs and gains nothing.
alter table store.events alter column data set storage external, alter column client set storage external;

-- Batches that were sent again after a lost connection: the first sending, should it still wait for its turn on the
-- server, must not run any more.
create table store.abandoned (
    attempt uuid primary key,
    at timestamptz not null
);
