-- Living projects.
create table projects (
    id bigint primary key,
    organization_id bigint not null,
    name text,
    description text,
    creator_id bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index projects_organization on projects (organization_id, created_at, id);
