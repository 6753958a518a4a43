-- Rung 4: candidates that have only each other; else, among those of equal amount, that have only each other.
-- out: nrb_guid text, jnid text, position int, method text
with counted as (
    select nrb_guid, jnid, position, same_amount,
        count(*) over (partition by nrb_guid) as lines,
        count(*) over (partition by jnid, position) as nrbs,
        count(case when same_amount then 1 end) over (partition by nrb_guid) as equal_lines,
        count(case when same_amount then 1 end) over (partition by jnid, position) as equal_nrbs
    from reference_candidate
)
select nrb_guid, jnid, position, 'reference' as method
from counted
where (lines = 1 and nrbs = 1) or (same_amount and equal_lines = 1 and equal_nrbs = 1)
