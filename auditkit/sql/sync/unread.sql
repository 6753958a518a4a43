-- The records that this sync could not read, each with its reason and the last sync that read it: the one before, unless
-- that could not read it either; NULL where no content is held. {table}, {key}, {subject}: the source's raw table, its
-- key, and what a record is called in tables. Parameters: $sync_id.

create or replace temp table unread_before as
select subject_id, last_read_sync from raw.unread where subject_type = '{subject}';

delete from raw.unread where subject_type = '{subject}';

insert into raw.unread by name
select '{subject}' as subject_type, u.id as subject_id, u.reason,
    case when t.first_sync = $sync_id then $sync_id
        when t.{key} is not null then coalesce(b.last_read_sync, $sync_id - 1) end as last_read_sync
from unread_now as u
left join {table} as t on t.{key} = u.id and t.last_sync = $sync_id
left join unread_before as b on b.subject_id = u.id
order by u.id;
