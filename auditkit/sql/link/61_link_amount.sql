-- Rung 5: candidates that are alone, in their block, at their amount: exactly one of each. An invoice of two jobs is in two
-- blocks, so its line must be alone in all of them.
-- out: nrb_guid text, jnid text, position int, method text
with counted as (
    select nrb_guid, jnid, position,
        count(*) over (partition by block, total) as in_block,
        count(*) over (partition by jnid, position) as on_line
    from amount_candidate
)
select nrb_guid, jnid, position, 'amount' as method
from counted where in_block = 1 and on_line = 1
