-- (grouped) Equal keys are a group.
grouped as (
    select *, dense_rank() over (order by {equal}) as _group from item
)
