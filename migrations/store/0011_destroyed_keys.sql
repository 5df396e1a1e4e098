-- For whoever looks for destroyed keys that the log or the ledger does not know of.
create index data_keys_destroyed on store.data_keys (destroyed_at, id) where destroyed_at is not null;
