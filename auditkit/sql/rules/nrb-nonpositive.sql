-- id: nrb-nonpositive
-- title: Zero or negative rate or quantity
-- assertion: accuracy
-- severity: low
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, rate qty, quantity qty, vendor_code text
-- key: reason
-- why: A credit belongs to the cost that it reverses; a zero is mostly a price that was never entered.
-- remedy: Check a credit against the NRB that it corrects; enter the price that is missing.
-- note: Leaves. NULL rate or quantity is silent here: nrb-missing-key. amount_at_risk is signed, so a credit is negative.
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    case when n.rate <= 0 and n.quantity <= 0 then 'neither rate nor quantity is above 0'
        when n.rate <= 0 then 'the rate is not above 0' else 'the quantity is not above 0' end as reason,
    n.rate, n.quantity, s.vendor_code
from nrb_status as s join nrb as n on n.guid = s.guid
where n.rate <= 0 or n.quantity <= 0
