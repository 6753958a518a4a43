-- id: nrb-markup-odd
-- title: Markup unlike the contract or its peers
-- assertion: valuation
-- severity: low
-- subject: nrb
-- param: min_peers int = 5
-- param: min_share decimal = 0.80
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, type_name text, markup decimal, expected decimal, basis text
-- key: reason
-- why: A markup that is not the agreed one charges the client too much, or leaves margin behind.
-- remedy: Look into the contract; correct the markup, or the row in markup.csv.
-- note: Billable leaves. Expected: the percent that markup.csv gives for vendor and type (either may be empty there; the vendor's row comes
--   before the type's); without a row that fits, and where the markup is not 0, that of most others of the same vendor and type, if there are
--   at least $min_peers others with a markup and $min_share of them have it. Costs with a negotiated markup are a false alarm: put
--   them into markup.csv or accept them. At risk is the difference that it makes, without sign, above $tolerance; NULL where rate or quantity is
--   missing. A NULL markup counts as 0.
with item as (
    select s.guid, s.job_number, s.vendor_code, s.type_name, folded(s.vendor_code) as vendor_key, folded(s.type_name) as type_key,
        n.rate, n.quantity, n.vendor_tax, n.markup_applies_on, coalesce(n.upcharge_percent, 0) as markup
    from nrb_status as s join nrb as n on n.guid = s.guid
    where s.billable and not s.internal
), counted as (
    select vendor_key, type_key, markup, count(*) as times, sum(count(*)) over (partition by vendor_key, type_key) as every,
        row_number() over (partition by vendor_key, type_key order by count(*) desc, markup) as turn
    from item where markup <> 0
    group by vendor_key, type_key, markup
), usual as (
    select vendor_key, type_key, markup from counted
    where turn = 1 and every - 1 >= $min_peers and times >= $min_share * (every - 1)
), contract as (
    select folded(vendor_code) as vendor_key, folded(type_name) as type_key, markup from agreed_markup
), agreed as (
    select i.guid, c.markup,
        row_number() over (partition by i.guid order by case when c.vendor_key is null then 1 else 0 end,
            case when c.type_key is null then 1 else 0 end, c.markup) as turn
    from item as i
    join contract as c on (c.vendor_key is null or c.vendor_key = i.vendor_key) and (c.type_key is null or c.type_key = i.type_key)
), compared as (
    select i.guid, i.job_number, i.vendor_code, i.type_name, i.rate, i.quantity, i.vendor_tax, i.markup_applies_on, i.markup,
        coalesce(a.markup, u.markup) as expected,
        case when a.markup is not null then 'markup.csv' else 'most others of its vendor and type' end as basis
    from item as i
    left join agreed as a on a.guid = i.guid and a.turn = 1
    left join usual as u on u.vendor_key = i.vendor_key and u.type_key is not distinct from i.type_key and i.markup <> 0
), priced as (
    select guid, job_number, vendor_code, type_name, markup, expected, basis,
        abs(total_after_markup(rate, quantity, markup, vendor_tax, markup_applies_on)
            - total_after_markup(rate, quantity, expected, vendor_tax, markup_applies_on)) as difference
    from compared
    where markup <> expected
)
select guid as subject_id, job_number, difference as amount_at_risk,
    'markup ' || regexp_replace(cast(markup as text), '[.]?0+$', '', 'g') || ' %, expected '
        || regexp_replace(cast(expected as text), '[.]?0+$', '', 'g') || ' % (' || basis || ')' as reason,
    vendor_code, type_name, markup, expected, basis
from priced
where difference is null or difference > $tolerance
