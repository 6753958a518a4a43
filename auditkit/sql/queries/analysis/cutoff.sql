-- Records dated on one side of the period end $day and recorded on the other, at most $days from it (NULL: at any distance). A NULL
-- date is on no side.
select case when s.{dated} <= $day then 'recorded late' else 'recorded early' end as side,
    days_between(s.{dated}, s.{recorded}) as days_late,
    {columns}
from {source} as s
where (s.{dated} <= $day) <> (s.{recorded} <= $day)
    and ($days is null or abs(days_between(s.{recorded}, $day)) <= $days)
order by side, days_late,
    {columns}
