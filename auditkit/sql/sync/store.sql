-- Carry this sync's records into the raw table: a changed one is a new version, an unchanged one is current for one more
-- sync. {table}, {key}, {arrived}: the source's raw table, its key, and its arrived bodies. Parameters: $sync_id.

create or replace temp table newest as
select id, arg_max(body, batch) as body, sha256(arg_max(body, batch)) as digest
from {arrived} where id in (select id from listed_now) group by id;

update {table} set last_sync = $sync_id
where last_sync = $sync_id - 1 and {key} in (select id from listed_now)
    and not exists (select 1 from newest where newest.id = {table}.{key} and newest.digest <> {table}.digest);

insert into {table} by name
select id as {key}, digest, body, $sync_id as first_sync, $sync_id as last_sync from newest
where not exists (select 1 from {table} as t where t.{key} = newest.id and t.last_sync = $sync_id)
order by id;
