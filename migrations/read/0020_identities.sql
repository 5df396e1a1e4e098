-- Accounts at identity providers. Personal data is null once its key is destroyed.
create table identities (
    id uuid primary key,
    user_id bigint not null,
    provider text not null,
    address text,
    avatar_url text,
    linked_at timestamptz not null
);
create index identities_user on identities (user_id, linked_at, id);
