-- Every finding with the cost or invoice that it is about; a finding about a line counts for its invoice and for the costs on it.
-- out: fingerprint text, rule_id text, state text, amount_at_risk money, nrb_guid text, jnid text
with line as (
    select f.fingerprint, f.rule_id, f.state, f.amount_at_risk, t.jnid, t.position
    from finding as f join invoice_item as t on t.jnid || '/' || cast(t.position as text) = f.subject_id
    where f.subject_type = 'invoice_item'
)
select fingerprint, rule_id, state, amount_at_risk, subject_id as nrb_guid, cast(null as text) as jnid
from finding where subject_type = 'nrb'
union all
select fingerprint, rule_id, state, amount_at_risk, null, subject_id from finding where subject_type = 'invoice'
union all
select fingerprint, rule_id, state, amount_at_risk, null, jnid from line
union all
select p.fingerprint, p.rule_id, p.state, p.amount_at_risk, k.nrb_guid, null
from line as p join link as k on k.jnid = p.jnid and k.position = p.position
