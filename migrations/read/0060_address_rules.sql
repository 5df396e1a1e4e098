-- From which addresses members reach a team. No ranges: from everywhere.
alter table organizations
    add column address_mode text not null default 'dry_run' check (address_mode in ('dry_run', 'enforced')),
    add column address_allow inet[] not null default '{}',
    add column address_deny inet[] not null default '{}';

-- What a team's rules say of a client; the same as AddressRules::verdict of the write side. No client: the product itself.
create function address_verdict(mode text, allow inet[], deny inet[], client inet) returns text
language sql immutable parallel safe
return case
    when client is null then 'let_in'
    when not (client <<= any (deny)) and (cardinality(allow) = 0 or client <<= any (allow)) then 'let_in'
    when mode = 'dry_run' then 'would_refuse'
    else 'refused'
end;
