-- Living variables and every value they ever had, sealed.
create table variables (
    id bigint primary key,
    environment_id bigint not null,
    key text not null collate "C",
    value bytea not null,
    version integer not null,
    creator_id bigint not null,
    created_at timestamptz not null,
    updated_at timestamptz not null
);
create unique index variables_environment_key on variables (environment_id, key);

create table variable_versions (
    variable_id bigint not null,
    version integer not null,
    value bytea not null,
    creator_id bigint,
    created_at timestamptz not null,
    primary key (variable_id, version)
);
