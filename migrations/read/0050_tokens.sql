-- Personal tokens, service tokens, and the rules by which tokens of other issuers are exchanged. Ended ones stay, so that
-- what a service made keeps its maker's name.
create table tokens (
    id bigint primary key,
    kind text not null check (kind in ('personal', 'service', 'trust')),
    user_id bigint,
    organization_id bigint,
    name text,
    -- Keyed; of rules there is none.
    digest text unique,
    role text,
    scope text not null,
    -- Networks that it may come from. Bound without any: from nowhere.
    is_bound boolean not null,
    ranges text,
    issuer text,
    conditions text,
    lifetime_minutes integer,
    creator_id bigint not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    ended_at timestamptz
);
create index tokens_user on tokens (user_id, id) where user_id is not null;
create index tokens_organization on tokens (organization_id, id) where organization_id is not null;

-- A service has a role and is no member: not listed, not counted.
alter table memberships add column is_service boolean not null default false;
