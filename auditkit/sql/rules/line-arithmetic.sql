-- id: line-arithmetic
-- title: Extension error: quantity × price
-- assertion: accuracy
-- severity: medium
-- subject: invoice_item
-- out: subject_id text, job_number text, amount_at_risk money, reason text, quantity qty, price qty, amount money, expected money
-- why: The amount that the client sees does not follow from the quantity and price next to it.
-- remedy: Correct quantity, price or amount.
-- note: Lines of issued invoices, by more than $tolerance. NULL quantity or price, or an amount that the vendor did not send: nothing to
--   compare. The vendor's page leaves open whether an amount holds the line's labor block: with the setting labor_in_amount = auto both
--   are accepted, with yes and no only the one.
with line as (
    select t.jnid, t.position, i.job_number, t.quantity, t.price, t.amount, coalesce(t.labor_amount, 0) as labor,
        line_amount(t.quantity, t.price) + case when $labor_in_amount = 'yes' then coalesce(t.labor_amount, 0) else 0 end as expected
    from invoice_item as t
    join invoice_status as i on i.jnid = t.jnid and i.state = 'issued'
    where t.quantity is not null and t.price is not null and t.amount is not null and not t.amount_derived
)
select jnid || '/' || cast(position as text) as subject_id, job_number, abs(amount - expected) as amount_at_risk,
    'quantity times price ' || case when $labor_in_amount = 'yes' then 'and labor are ' else 'is ' end
        || coalesce(cast(expected as text), 'more digits than money has') as reason,
    quantity, price, amount, expected
from line
where expected is null
    or (abs(amount - expected) > $tolerance and not ($labor_in_amount = 'auto' and abs(amount - expected - labor) <= $tolerance))
