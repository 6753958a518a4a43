-- id: invoice-margin
-- title: Invoice shows no cost
-- assertion: valuation
-- severity: low
-- subject: invoice
-- out: subject_id text, job_number text, amount_at_risk money, reason text, number text, cost money, material_total money, total money
-- why: A cost of 0 on priced material is a known fault of the link to QuickBooks: every margin report shows the whole price as profit.
-- remedy: Save the invoice again in JobNimbus, or correct the cost of its lines.
-- note: Issued invoices with lines of type material above 0 that bill a cost; a progress bill, a deposit or other lines have none. NULL cost: not
--   known to be 0, silent.
with billed as (
    select distinct jnid, position from link
), material as (
    select t.jnid, sum(t.amount) as material_total from invoice_item as t
    join billed as b on b.jnid = t.jnid and b.position = t.position
    where folded(t.item_type) = 'material' and t.amount > 0
    group by t.jnid
)
select i.jnid as subject_id, s.job_number, m.material_total as amount_at_risk, 'no cost behind priced material' as reason,
    i.number, i.cost, m.material_total, i.total
from invoice as i
join invoice_status as s on s.jnid = i.jnid and s.state = 'issued'
join material as m on m.jnid = i.jnid
where i.cost = 0
