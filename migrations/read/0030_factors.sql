-- Apps and passkeys of accounts as their owners see them, and how many recovery codes are left.
create table factors (
    id uuid primary key,
    user_id bigint not null,
    kind text not null,
    name text,
    enrolled_at timestamptz not null,
    last_used_at timestamptz
);
create index factors_user on factors (user_id, enrolled_at);

create table recovery_codes (
    user_id bigint primary key,
    codes_left integer not null,
    made_at timestamptz not null
);
