-- An erased account keeps its number; wherever its name stood, it is a deleted user.
alter table users drop constraint users_standing_check;
alter table users add constraint users_standing_check
    check (standing in ('inactive', 'active', 'deactivated', 'erased'));
alter table users drop column full_name;
alter table users add column full_name text not null generated always as (
    case when standing = 'erased' then 'Deleted user'
         else coalesce(nullif(btrim(coalesce(first_name, '') || ' ' || coalesce(last_name, '')), ''), username, '')
    end
) stored;
-- Whoever is erased is looked for as the recipient of invitations.
create index invitations_address on invitations (address);
create index users_erased on users (id) where standing = 'erased';
