-- id: nrb-total-mismatch
-- title: Cost total does not recompute
-- assertion: accuracy
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, total money, recomputed money, fits text
-- why: Rate, quantity, markup and tax give another total than the one that Aimsio shows, so the client is charged wrongly.
-- remedy: Open the NRB in Aimsio and save it again; if the total stays, correct rate, quantity, markup or tax.
-- note: NULL rate, quantity or total: nothing to compare, silent here. NULL markup or tax counts as 0.
--   amount_at_risk is the absolute difference.
with computed as (
    select n.guid, n.job_number, n.total_after_markup as total,
        total_after_markup(n.rate, n.quantity, n.upcharge_percent, n.vendor_tax, n.markup_applies_on) as recomputed,
        total_after_markup(n.rate, n.quantity, n.upcharge_percent, n.vendor_tax, 'SUB_TOTAL') as on_subtotal,
        total_after_markup(n.rate, n.quantity, n.upcharge_percent, n.vendor_tax, 'SUB_TOTAL_AND_VENDOR_TAX') as on_both,
        total_after_markup(n.rate, n.quantity, 0, n.vendor_tax, 'SUB_TOTAL') as without_markup,
        total_after_markup(n.rate, n.quantity, n.upcharge_percent, 0, 'SUB_TOTAL') as without_tax
    from nrb as n
    where n.is_leaf and n.rate is not null and n.quantity is not null and n.total_after_markup is not null
)
select guid as subject_id, job_number, abs(total - recomputed) as amount_at_risk,
    'its rate, quantity, markup and tax give ' || coalesce(cast(recomputed as text), 'more digits than money has') as reason,
    total, recomputed,
    case when total = on_subtotal then 'markup on the subtotal' when total = on_both then 'markup on subtotal and tax'
        when total = without_markup then 'no markup' when total = without_tax then 'no tax' end as fits
from computed
where recomputed is null or abs(total - recomputed) > $tolerance
