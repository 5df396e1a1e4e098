-- What an account holds, for its erasure. Variables' numbers are most of the claims and are never given back.
create index claims_stream on store.claims (stream_id) where key not like 'variable:%';
