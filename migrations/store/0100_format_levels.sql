-- Which events may be written (docs/decisions/0100): those that every process at work can read.
alter table store.log add column format_level integer not null default 1;

-- The processes at work, by their heartbeats; whoever is silent for long is gone.
create table store.processes (
    id uuid primary key default gen_random_uuid(),
    part text not null,
    version text not null,
    host text not null,
    -- The highest format level that its binary reads and writes.
    format_level integer not null,
    started_at timestamptz not null default clock_timestamp(),
    seen_at timestamptz not null default clock_timestamp()
);
