-- From where and with what somebody signed in: for the list of one's own sessions, while the session lives.
alter table sessions add column address text;
alter table sessions add column agent text;
-- The key of the day that they were sealed under, so that they go with it.
alter table sessions add column day_key uuid;
create index sessions_day_key on sessions (day_key) where day_key is not null;
