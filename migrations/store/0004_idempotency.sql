-- Command ids of requests with an `Idempotency-Key` (DESIGN 9), kept for 24 hours.
create table store.idempotency (
    actor text collate "C" not null,
    route text collate "C" not null,
    key text collate "C" not null,
    body_digest bytea not null,
    command_id uuid not null,
    created_at timestamptz not null,
    primary key (actor, route, key)
);
create index idempotency_age on store.idempotency (created_at);
