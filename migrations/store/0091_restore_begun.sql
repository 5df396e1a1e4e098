-- A restore has begun and not come to its end: nothing is served from this database until it has.
alter table store.log add column restore_begun boolean not null default false;
