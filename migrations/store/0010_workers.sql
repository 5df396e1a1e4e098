-- What reactors know: how far they came, what they did, what waits to be tried again.

create table consumers (
    durable text primary key,
    incarnation uuid not null,
    position bigint not null,
    moved_at timestamptz not null
);

create table work (
    durable text not null,
    position bigint not null,
    event_id uuid not null,
    event_name text not null,
    attempts integer not null,
    due_at timestamptz not null,
    error text not null,
    is_dead boolean not null default false,
    created_at timestamptz not null,
    primary key (durable, event_id)
);
create index work_due on work (durable, due_at) where not is_dead;

create table effects (
    event_id uuid not null,
    kind text not null,
    recipient text not null,
    message_id text not null,
    started_at timestamptz not null,
    done_at timestamptz,
    -- The other side said no for good: not tried again, unless somebody replays the dead letter.
    refused_at timestamptz,
    primary key (event_id, kind, recipient)
);
create index effects_started on effects (started_at);

-- The development mailbox: mails that nobody sends.
create table mailbox (
    id bigint generated always as identity primary key,
    message_id text not null unique,
    sent_at timestamptz not null,
    kind text not null,
    recipient text not null,
    subject text not null,
    body_text text not null,
    body_html text not null
);
