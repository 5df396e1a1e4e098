-- Living teams and their members. Deleting a team removes both, and with them every way to its children.
create table organizations (
    id bigint primary key,
    name text,
    description text,
    creator_id bigint not null,
    is_personal boolean not null,
    -- The stream's revision at the last event, for checks at append (DESIGN 6, reveal).
    revision bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);

create table memberships (
    user_id bigint not null,
    organization_id bigint not null,
    role text not null check (role in ('admin', 'editor', 'viewer')),
    joined_at timestamptz not null,
    primary key (user_id, organization_id)
);
create index memberships_organization on memberships (organization_id, joined_at, user_id);
