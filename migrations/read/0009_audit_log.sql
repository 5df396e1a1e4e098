-- One row for every event of the log, and what the rows need to know from earlier events.
create table audit_log (
    position bigint primary key,
    -- For callers: derived from the event id, since positions tell how busy the others are.
    id bigint not null,
    organization_id bigint,
    actor_id bigint,
    -- Whose account it is about, for events outside of organizations.
    account_id bigint,
    action text not null,
    target_type text not null,
    target_id text not null,
    details jsonb not null,
    outcome text not null check (outcome in ('ok', 'failed', 'refused')),
    ip_address text,
    agent text,
    request_id uuid,
    recorded_at timestamptz not null
);
create index audit_log_organization on audit_log (organization_id, position desc);
create index audit_log_actor on audit_log (actor_id, position desc);
create index audit_log_account on audit_log (account_id, position desc);

create table audit_facts (
    kind text not null,
    id text not null,
    fact jsonb not null,
    primary key (kind, id)
);
