-- The life of the log that is kept in a KurrentDB cluster (docs/decisions/0135); null: it is kept here. What else is in this
-- schema belongs to that log, and neither is ever taken for the other.
alter table store.log add column kept_elsewhere uuid;
