-- When each token was last used: no event, at most one write a minute, not rebuilt (DESIGN 12).
create table store.token_uses (
    token bigint primary key,
    used_at timestamptz not null
);
