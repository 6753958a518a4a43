-- The first complete read that began within 10 days after a day ($day, in the zone $zone): what was known when that day had ended. No row
-- if there is none. A read that was rebuilt from the cache knows nothing of its own.
select sync_id, local_day(started_at, $zone) as read_on from sync_run
where status = 'COMPLETE' and not coalesce(is_offline, false)
    and local_day(started_at, $zone) > $day and days_between($day, local_day(started_at, $zone)) <= 10
order by sync_id limit 1
