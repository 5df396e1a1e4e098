-- `append_batch` that also tells the revision of each write's first event: with it the process that appended knows its
-- events as the log has them, and hands them to its subscribers without reading them back. Otherwise the same, see
-- 0002_append_batch.sql; that one stays for processes of the version before.
create function store.append_batch_2(
    attempt_id uuid,
    stream_names text[], claim_keys text[], command_ids uuid[],
    -- One element per request: its command and how many of each list are its own.
    request_commands integer[], request_writes integer[], request_checks integer[],
    request_releases integer[], request_claims integer[],
    -- Expected revision, -1 for any; number of events.
    write_streams integer[], write_expected bigint[], write_events integer[],
    check_streams integer[], check_revisions bigint[],
    released integer[],
    claimed integer[], claim_streams integer[],
    -- One element per event: the write that it belongs to and its place in there (from 0).
    event_writes integer[], event_places integer[], event_ids uuid[], event_commands uuid[],
    types text[], versions integer[], payloads bytea[],
    actors bigint[], organizations bigint[], sessions uuid[], requests uuid[], causations uuid[], correlations uuid[],
    clients bytea[],
    -- One element per request. Verdicts: 0 appended, 1 repeated command, 2 revision conflict, 3 claim conflict.
    out verdicts integer[],
    -- First position and number of events of an appended or repeated command.
    out firsts bigint[], out counts integer[],
    -- The stream or claim of a conflict, expected and actual revision, holder of the claim.
    out subjects integer[], out expecteds bigint[], out actuals bigint[], out holders text[],
    out head bigint,
    out written_at timestamptz,
    -- One element per write: the revision of its first event; 0 if it was not accepted.
    out write_revisions bigint[]
)
language plpgsql volatile
-- Plans are cached from the time when the tables were empty; only index look-ups stay right as they grow.
set search_path = store, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
declare
    request_count constant integer := cardinality(request_commands);
    last_at timestamptz;
    last_stream bigint;
    old_head bigint;
    -- 0: not touched, 1: touched, 2: new.
    stream_ids bigint[]; revisions bigint[]; stream_marks integer[];
    holder_ids bigint[]; holder_names text[]; claim_marks integer[]; released_by integer[];
    command_firsts bigint[]; command_counts integer[]; command_marks integer[];
    -- Position of the first event of each write that was accepted; 0 otherwise.
    write_positions bigint[] := array_fill(0::bigint, array[cardinality(write_streams)]);
    -- Last index of the previous request in each list, and of this one.
    w0 integer := 0; c0 integer := 0; r0 integer := 0; k0 integer := 0;
    w1 integer; c1 integer; r1 integer; k1 integer;
    s integer; x integer; command integer; verdict integer;
begin
    select l.position, l.streams, l.last_recorded_at into old_head, last_stream, last_at from store.log l for update;
    written_at := greatest(clock_timestamp(), last_at);
    head := old_head;
    if exists (select from store.abandoned a where a.attempt = attempt_id) then
        return;
    end if;
    write_revisions := array_fill(0::bigint, array[cardinality(write_streams)]);

    select coalesce(array_agg(coalesce(t.id, 0) order by n.i), '{}'), coalesce(array_agg(coalesce(t.revision, 0) order by n.i), '{}')
    into stream_ids, revisions
    from unnest(stream_names) with ordinality n(name, i) left join store.streams t on t.name = n.name;
    select coalesce(array_agg(coalesce(c.stream_id, 0) order by n.i), '{}'), coalesce(array_agg(coalesce(t.name, '') order by n.i), '{}')
    into holder_ids, holder_names
    from unnest(claim_keys) with ordinality n(key, i)
    left join store.claims c on c.key = n.key left join store.streams t on t.id = c.stream_id;
    select array_agg(coalesce(c.position, 0) order by n.i), array_agg(coalesce(c.count, 0) order by n.i)
    into command_firsts, command_counts
    from unnest(command_ids) with ordinality n(id, i) left join store.commands c on c.command_id = n.id;

    stream_marks := array_fill(0, array[cardinality(stream_names)]);
    claim_marks := array_fill(0, array[cardinality(claim_keys)]);
    released_by := array_fill(0, array[cardinality(claim_keys)]);
    command_marks := array_fill(0, array[cardinality(command_ids)]);
    verdicts := array_fill(0, array[request_count]);
    firsts := array_fill(0::bigint, array[request_count]);
    counts := array_fill(0, array[request_count]);
    subjects := array_fill(0, array[request_count]);
    expecteds := array_fill(0::bigint, array[request_count]);
    actuals := array_fill(0::bigint, array[request_count]);
    holders := array_fill(''::text, array[request_count]);

    for r in 1 .. request_count loop
        w1 := w0 + request_writes[r]; c1 := c0 + request_checks[r];
        r1 := r0 + request_releases[r]; k1 := k0 + request_claims[r];
        command := request_commands[r];
        verdict := 0;
        if command_firsts[command] > 0 then
            verdict := 1;
        end if;
        if verdict = 0 then
            for i in w0 + 1 .. w1 loop
                s := write_streams[i];
                if write_expected[i] >= 0 and revisions[s] <> write_expected[i] then
                    verdict := 2; subjects[r] := s; expecteds[r] := write_expected[i]; actuals[r] := revisions[s];
                    exit;
                end if;
            end loop;
        end if;
        if verdict = 0 then
            for i in c0 + 1 .. c1 loop
                s := check_streams[i];
                if revisions[s] <> check_revisions[i] then
                    verdict := 2; subjects[r] := s; expecteds[r] := check_revisions[i]; actuals[r] := revisions[s];
                    exit;
                end if;
            end loop;
        end if;
        if verdict = 0 and k1 > k0 then
            for i in r0 + 1 .. r1 loop
                released_by[released[i]] := r;
            end loop;
            for i in k0 + 1 .. k1 loop
                x := claimed[i];
                if holder_ids[x] > 0 and released_by[x] <> r then
                    verdict := 3; subjects[r] := x; holders[r] := holder_names[x];
                    exit;
                end if;
            end loop;
        end if;
        if verdict = 0 then
            command_firsts[command] := head + 1;
            for i in w0 + 1 .. w1 loop
                s := write_streams[i];
                if stream_ids[s] = 0 then
                    last_stream := last_stream + 1;
                    stream_ids[s] := last_stream;
                    stream_marks[s] := 2;
                elsif stream_marks[s] = 0 then
                    stream_marks[s] := 1;
                end if;
                write_positions[i] := head + 1;
                write_revisions[i] := revisions[s] + 1;
                revisions[s] := revisions[s] + write_events[i];
                head := head + write_events[i];
            end loop;
            for i in r0 + 1 .. r1 loop
                holder_ids[released[i]] := 0;
                claim_marks[released[i]] := 1;
            end loop;
            for i in k0 + 1 .. k1 loop
                x := claimed[i];
                holder_ids[x] := stream_ids[claim_streams[i]];
                holder_names[x] := stream_names[claim_streams[i]];
                claim_marks[x] := 1;
            end loop;
            command_counts[command] := head + 1 - command_firsts[command];
            command_marks[command] := 2;
        end if;
        verdicts[r] := verdict;
        if verdict <= 1 then
            firsts[r] := command_firsts[command];
            counts[r] := command_counts[command];
        end if;
        w0 := w1; c0 := c1; r0 := r1; k0 := k1;
    end loop;

    if head = old_head then
        return;
    end if;
    insert into store.events (position, stream_id, revision, recorded_at, actor, organization, event_id, command_id,
        session, request, causation, correlation, version, content_type, type, client, data)
    select write_positions[e.write] + e.place, stream_ids[write_streams[e.write]], write_revisions[e.write] + e.place,
        written_at, e.actor, e.organization, e.event_id, e.command_id, e.session, e.request, e.causation, e.correlation,
        e.version, 1, e.type, e.client, e.data
    from unnest(event_writes, event_places, event_ids, event_commands, types, versions, payloads, actors, organizations,
            sessions, requests, causations, correlations, clients)
        e(write, place, event_id, command_id, type, version, data, actor, organization, session, request, causation,
            correlation, client)
    where write_positions[e.write] > 0;
    update store.streams t set revision = u.revision
    from unnest(stream_ids, revisions, stream_marks) u(id, revision, mark)
    where u.mark = 1 and t.id = u.id;
    insert into store.streams (id, name, revision)
    select u.id, u.name, u.revision
    from unnest(stream_ids, stream_names, revisions, stream_marks) u(id, name, revision, mark) where u.mark = 2;
    insert into store.commands (command_id, position, count)
    select u.id, u.first, u.count
    from unnest(command_ids, command_firsts, command_counts, command_marks) u(id, first, count, mark) where u.mark = 2;
    if 1 = any (claim_marks) then
        delete from store.claims c using unnest(claim_keys, claim_marks) u(key, mark) where u.mark = 1 and c.key = u.key;
        insert into store.claims (key, stream_id)
        select u.key, u.holder from unnest(claim_keys, holder_ids, claim_marks) u(key, holder, mark)
        where u.mark = 1 and u.holder > 0;
    end if;
    update store.log set position = head, streams = last_stream, last_recorded_at = written_at;
    perform pg_notify('keynest_log', head::text);
end
$$;
