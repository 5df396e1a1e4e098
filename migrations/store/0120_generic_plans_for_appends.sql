-- The statements of `append_batch` look rows up by their keys, whatever is asked: one plan is as good as any. Postgres took
-- the arrays of each call for another case and planned three of them anew every time, 0.13 ms of an append by one client.
alter function store.append_batch_2 set plan_cache_mode = force_generic_plan;
