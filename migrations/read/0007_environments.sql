-- Living environments.
create table environments (
    id bigint primary key,
    project_id bigint not null,
    organization_id bigint not null,
    name text,
    environment_type text not null check (environment_type in ('development', 'staging', 'production', 'testing')),
    description text,
    creator_id bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create index environments_project on environments (project_id, created_at, id);
