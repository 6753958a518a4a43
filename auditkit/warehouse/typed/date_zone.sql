-- The macro recognized_zone(source, zone): in which time zone the dates of a vendor are midnights. Parameters: none.
--
-- A date without a time is sent as an instant: midnight where the sender was. Read in the zone of the account, it may be
-- the evening before, and the last day of a month the month before. So where nearly all instants of a source are midnights
-- of one zone, that is their zone. The account's own zone comes first, then those of North America, then fixed offsets.
-- One row: zone (NULL: no zone fits), value_count and midnight_count. NULL instants do not count.

create or replace temp macro recognized_zone(source, account_zone) as table
with candidate as (
    select 0 as preference, account_zone as zone
    union all
    select position, zone from (
        select unnest([
            'UTC', 'America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles', 'America/Halifax',
            'America/St_Johns', 'America/Regina', 'America/Phoenix', 'America/Anchorage', 'Pacific/Honolulu',
            'Etc/GMT+3', 'Etc/GMT+4', 'Etc/GMT+5', 'Etc/GMT+6', 'Etc/GMT+7', 'Etc/GMT+8', 'Etc/GMT+9', 'Etc/GMT+10'
        ]) as zone, generate_subscripts([0] || range(18), 1) as position
    )
), moment as (
    select instant, count(*) as value_count from query_table(source) where instant is not null group by instant
), whole as (
    select sum(value_count) as value_count from moment
), counted as (
    -- Midnight is at a quarter of an hour everywhere, and asking a zone is slow.
    select c.preference, c.zone, sum(m.value_count) as midnight_count
    from candidate as c join moment as m on epoch(m.instant) % 900 = 0 and cast(timezone(c.zone, m.instant) as time) = time '00:00'
    group by c.preference, c.zone
), fitting as (
    select c.zone, c.midnight_count, row_number() over (order by sign(c.preference), c.midnight_count desc, c.preference) as rank
    from counted as c, whole as w
    where c.midnight_count * 100 >= w.value_count * 95 and (w.value_count >= 3 or c.preference = 0)
)
select f.zone, cast(w.value_count as bigint) as value_count, cast(coalesce(f.midnight_count, 0) as bigint) as midnight_count
from whole as w left join fitting as f on f.rank = 1
where w.value_count > 0;
