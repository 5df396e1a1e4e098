-- How far each projection has come, and the streams it had to leave behind. Names are unqualified: the
-- search path says whether this is the live schema or one that is being rebuilt.
create table checkpoints (
    name text primary key,
    version integer not null,
    incarnation uuid not null,
    position bigint not null
);

create table parked (
    projection text not null,
    stream text not null,
    position bigint not null,
    error text not null,
    primary key (projection, stream)
);
