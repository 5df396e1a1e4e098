-- Who administers the instance. No earlier event grants it, so that nothing has to be built again.
alter table users add column is_administrator boolean not null default false;
