-- (grouped) Equal keys are a group for each run of dates without a larger step than $days between two of them.
step as (
    select *, case when days_between(lag(_day) over one, _day) <= $days then 0 else 1 end as _new
    from item
    window one as (partition by {equal} order by _day)
), run as (
    select *, sum(_new) over (partition by {equal} order by _day) as _run from step
), grouped as (
    select *, dense_rank() over (order by {equal}, _run) as _group from run
)
