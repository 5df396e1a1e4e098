-- What a team asks of sign-ins, and what sign-ins and tokens can show. Rows from before this step show nothing, and their
-- teams ask for everything, until they are projected again: nobody slips in meanwhile.
alter table organizations add column requires_second_factor boolean not null default true;
alter table sessions add column has_second_factor boolean not null default false;
alter table tokens add column has_second_factor boolean not null default false;

-- What the bearer of a request has shown besides a first factor; the same as Bearer::is_two_factor of the write side, which
-- asks the streams of the account and the session. A quoted body: rebuilt tables are found by name.
create function is_two_factor(reader jsonb) returns boolean
language sql stable parallel safe
as $$ select case reader ->> 'bearer'
    when 'service' then true
    when 'session' then
        exists (select from factors f where f.user_id = (reader ->> 'user')::bigint)
        and exists (select from sessions s where s.id = (reader ->> 'session')::uuid
            and s.user_id = (reader ->> 'user')::bigint and s.has_second_factor)
    when 'token' then
        exists (select from factors f where f.user_id = (reader ->> 'user')::bigint)
        and exists (select from tokens t where t.id = (reader ->> 'token')::bigint
            and t.user_id = (reader ->> 'user')::bigint and t.has_second_factor)
    else false
end $$;

-- The one answer to whether somebody reads a team's rows: by the client address, then by the second factor.
create function read_verdict(mode text, allow inet[], deny inet[], requires_second_factor boolean, reader jsonb) returns text
language sql stable parallel safe
return case
    when reader ->> 'bearer' = 'product' then 'let_in'
    when address_verdict(mode, allow, deny, (reader ->> 'address')::inet) = 'refused' then 'refused'
    when requires_second_factor and not is_two_factor(reader) then 'second_factor_required'
    else address_verdict(mode, allow, deny, (reader ->> 'address')::inet)
end;
