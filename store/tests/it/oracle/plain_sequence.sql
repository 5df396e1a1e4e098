-- Planted: what DESIGN 4 forbids. Positions come from a plain sequence, nobody waits for a turn; streams are locked, so
-- that everything else is right. One batch in five is slow.
create sequence store.plain_positions;
create sequence store.plain_streams;
create or replace function store.append_batch_2(
    attempt_id uuid,
    stream_names text[], claim_keys text[], command_ids uuid[],
    request_commands integer[], request_writes integer[], request_checks integer[],
    request_releases integer[], request_claims integer[],
    write_streams integer[], write_expected bigint[], write_events integer[],
    check_streams integer[], check_revisions bigint[],
    released integer[],
    claimed integer[], claim_streams integer[],
    event_writes integer[], event_places integer[], event_ids uuid[], event_commands uuid[],
    types text[], versions integer[], payloads bytea[],
    actors bigint[], organizations bigint[], sessions uuid[], requests uuid[], causations uuid[], correlations uuid[],
    clients bytea[],
    out verdicts integer[],
    out firsts bigint[], out counts integer[],
    out subjects integer[], out expecteds bigint[], out actuals bigint[], out holders text[],
    out head bigint,
    out written_at timestamptz,
    out write_revisions bigint[]
)
language plpgsql volatile
as $$
declare
    w0 integer := 0; e0 integer := 0; w1 integer; s integer; e integer; verdict integer; first bigint; at bigint;
    known record; stream record;
begin
    written_at := clock_timestamp();
    verdicts := '{}'; firsts := '{}'; counts := '{}'; subjects := '{}'; expecteds := '{}'; actuals := '{}'; holders := '{}';
    insert into store.streams (id, name, revision)
    select nextval('store.plain_streams'), n.name, 1000000000 from unnest(stream_names) n(name)
    where not exists (select from store.streams t where t.name = n.name) order by n.name on conflict (name) do nothing;
    perform from store.streams t where t.name = any(stream_names) order by t.name for update;
    update store.streams set revision = 1 where revision = 1000000000 and name = any(stream_names)
        and not exists (select from store.events v where v.stream_id = streams.id);
    for r in 1 .. cardinality(request_commands) loop
        w1 := w0 + request_writes[r];
        verdict := 0; s := 0; at := 0; first := 0;
        select c.position, c.count into known from store.commands c where c.command_id = command_ids[request_commands[r]];
        if found then
            verdict := 1; first := known.position;
        end if;
        for i in w0 + 1 .. w1 loop
            select coalesce(max(v.revision), 0) into at from store.events v
            join store.streams t on t.id = v.stream_id where t.name = stream_names[write_streams[i]];
            if verdict = 0 and write_expected[i] >= 0 and at <> write_expected[i] then
                verdict := 2; subjects[r] := write_streams[i]; expecteds[r] := write_expected[i]; actuals[r] := at;
            end if;
        end loop;
        e := e0;
        for i in w0 + 1 .. w1 loop
            for n in 1 .. write_events[i] loop
                e := e + 1;
                if verdict = 0 then
                    head := nextval('store.plain_positions');
                    first := case first when 0 then head else first end;
                    insert into store.events (position, stream_id, revision, recorded_at, event_id, command_id, version,
                        content_type, type, data)
                    select head, t.id, 1 + (select coalesce(max(v.revision), 0) from store.events v where v.stream_id = t.id),
                        written_at, event_ids[e], event_commands[e], versions[e], 1, types[e], payloads[e]
                    from store.streams t where t.name = stream_names[write_streams[i]];
                end if;
            end loop;
        end loop;
        if verdict = 0 then
            insert into store.commands values (command_ids[request_commands[r]], first, e - e0);
        end if;
        verdicts[r] := verdict; firsts[r] := first; holders[r] := '';
        counts[r] := case verdict when 1 then known.count else e - e0 end;
        subjects[r] := coalesce(subjects[r], 0); expecteds[r] := coalesce(expecteds[r], 0);
        actuals[r] := coalesce(actuals[r], 0);
        w0 := w1; e0 := e;
    end loop;
    head := coalesce(head, 0);
    write_revisions := array_fill(0::bigint, array[cardinality(write_streams)]);
    if random() < 0.2 then
        perform pg_sleep(0.01);
    end if;
    update store.log set position = greatest(position, head);
    perform pg_notify('keynest_log', head::text);
end
$$;
