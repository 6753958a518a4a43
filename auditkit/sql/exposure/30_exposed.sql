-- Every cost and invoice with each cause that fits it and its amount. charge and overcharge come from the statement and the states, so
-- that they tie to it; ledger and invoice from the findings. A NULL amount counts as 0.00.
-- out: side text, cause text, nrb_guid text, jnid text, job_number text, amount money
select 'charge' as side, i.code as cause, i.nrb_guid, cast(null as text) as jnid, i.job_number, -i.amount as amount
from statement_item as i
where exists (select 1 from exposure_cause as c where c.side = 'charge' and c.cause = i.code)
union all
select 'overcharge', 'non_billable_charged', guid, null, job_number, charged
from nrb_status where (internal or not billable) and charged <> 0
union all
select distinct 'overcharge', 'duplicate_charged', s.guid, null, s.job_number, s.charged
from nrb_status as s join finding_subject as f on f.nrb_guid = s.guid and f.rule_id = 'nrb-duplicate'
where s.charged > 0
union all
select 'overcharge', case state when 'charged_twice' then 'charged_twice' else 'over_billed' end, guid, null, job_number, -left_over
from nrb_status where state in ('charged_twice', 'billed_over')
union all
select distinct 'ledger', 'duplicate_exported', s.guid, null, s.job_number, coalesce(s.total, 0)
from nrb_status as s join finding_subject as f on f.nrb_guid = s.guid and f.rule_id = 'nrb-duplicate'
where s.exported and s.charged = 0
union all
select 'ledger', c.cause, f.nrb_guid, null, s.job_number, coalesce(f.amount_at_risk, 0)
from finding_subject as f
join exposure_cause as c on c.side = 'ledger' and c.rule_id = f.rule_id and c.cause <> 'duplicate_exported'
join nrb_status as s on s.guid = f.nrb_guid
union all
select 'invoice', c.cause, null, f.jnid, i.job_number, sum(coalesce(f.amount_at_risk, 0))
from finding_subject as f
join exposure_cause as c on c.side = 'invoice' and c.rule_id = f.rule_id
join invoice_status as i on i.jnid = f.jnid
group by c.cause, f.jnid, i.job_number
