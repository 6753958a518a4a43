-- Control totals of the newest read, one row for each source.
select s.source, s.records, s.listed, s.quarantined, s.vanished, s.control_total as total, s.first_on, s.last_on,
    s.lists as reads, left(s.id_hash, 12) as ids, r.status
from sync_source as s join sync_run as r on r.sync_id = s.sync_id
where s.sync_id = (select max(sync_id) from sync_run)
order by s.source
