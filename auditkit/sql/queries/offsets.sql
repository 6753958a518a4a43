-- Pairs of differences that cancel each other within a job or a month. NULL key: what has no job or month.
select scope, key, amount, minus_label, minus_type, minus_id, minus_nrb_guid, plus_label, plus_type, plus_id,
    plus_nrb_guid
from statement_offset
order by scope, amount desc, key nulls last, minus_label, minus_id, minus_nrb_guid, plus_label, plus_id, plus_nrb_guid
