-- The control totals of a source's typed records; amounts that are NULL count as 0.00. {typed}: its typed table, {total} and
-- {sums}: its sums (sync/raw.py).
select {total} as control_total, json_object({sums}) as other_sums, min(created_on) as first_on, max(created_on) as last_on
from {typed}
