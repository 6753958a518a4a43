-- Missing numbers, as ranges within each series. A record whose series or number is NULL is in no series.
with identifier as (
    select cast(s.{column} as varchar) as written, {series} as series, {number} as number
    from {source} as s
), place as (
    select series, number, min(written) as written
    from identifier where series is not null and number is not null
    group by series, number
), step as (
    select series, number, written, lag(number) over one as number_before, lag(written) over one as before
    from place
    window one as (partition by series order by number)
)
select series, number_before + 1 as first_missing, number - 1 as last_missing, number - number_before - 1 as missing,
    before, written as after
from step
where number - number_before > 1
order by series, number
