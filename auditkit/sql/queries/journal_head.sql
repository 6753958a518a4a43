-- How many records the journal held, and the hash of the last; 64 zeros for an empty one.
select count(*) as records, coalesce(arg_max(hash, seq), repeat('0', 64)) as head from journal
