-- How often callers did what is counted over all processes (docs/decisions, limits). Not logged: after a crash of the
-- database the counts begin anew, which is cheaper than a write to disk for every try.
create unlogged table store.quotas (
    policy text not null,
    -- A keyed digest of who is counted; never the address itself.
    key bytea not null,
    -- Slots of the window in which something was counted, in microseconds, oldest first, and how much in each.
    starts bigint[] not null,
    counts integer[] not null,
    -- After this the row says nothing any more.
    until bigint not null,
    primary key (policy, key)
);
create index quotas_until on store.quotas (until);

-- Counts one, if there is room in the window before p_now; answers how much is used and when the oldest began. The same
-- as Window::take of the store crate.
create function store.take_quota(
    p_policy text, p_key bytea, p_quota bigint, p_window bigint, p_slot bigint, p_now bigint,
    out is_within boolean, out used bigint, out oldest bigint
) language plpgsql as $$
declare
    v_starts bigint[];
    v_counts integer[];
    v_last integer;
begin
    insert into store.quotas as q (policy, key, starts, counts, until)
        values (p_policy, p_key, '{}', '{}', p_now + p_window)
        on conflict (policy, key) do update set until = greatest(q.until, excluded.until)
        returning q.starts, q.counts into v_starts, v_counts;
    select coalesce(array_agg(it.s order by it.n), '{}'), coalesce(array_agg(it.c order by it.n), '{}'), coalesce(sum(it.c), 0)
        into v_starts, v_counts, used
        from unnest(v_starts, v_counts) with ordinality as it (s, c, n) where it.s + p_window > p_now;
    is_within := used < p_quota;
    if is_within then
        v_last := cardinality(v_starts);
        if v_last > 0 and v_starts[v_last] >= p_slot then
            v_counts[v_last] := v_counts[v_last] + 1;
        else
            v_starts := v_starts || p_slot;
            v_counts := v_counts || 1;
        end if;
        used := used + 1;
    end if;
    oldest := coalesce(v_starts[1], p_slot);
    update store.quotas q set starts = v_starts, counts = v_counts where q.policy = p_policy and q.key = p_key;
end $$;
