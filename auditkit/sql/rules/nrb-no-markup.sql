-- id: nrb-no-markup
-- title: Markup missing
-- assertion: valuation
-- severity: medium
-- subject: nrb
-- param: min_peers int = 3
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, type_name text, peers int, peers_with_markup int, lowest_markup decimal
-- why: The markup was probably forgotten, and the margin with it.
-- remedy: Look into the contract; if the markup is due, enter it and correct the line.
-- note: Billable and not internal; markup 0 or NULL. The peers are the other items of the same vendor, or of the same type where the
--   vendor has fewer than $min_peers others; at least $min_peers and more than half of them carry a markup. amount_at_risk is what the
--   lowest of their markups would add, above $tolerance; NULL where rate or quantity is missing. Where markup.csv gives a markup for vendor
--   and type, nrb-markup-odd compares with that, and this rule is silent.
with item as (
    select s.guid, s.job_number, s.vendor_code, s.type_name, folded(s.vendor_code) as vendor_key, folded(s.type_name) as type_key,
        n.rate, n.quantity, n.vendor_tax, n.markup_applies_on, coalesce(n.upcharge_percent, 0) as markup
    from nrb_status as s join nrb as n on n.guid = s.guid
    where s.billable and not s.internal
), vendor as (
    select vendor_key, count(*) - 1 as others, count(case when markup > 0 then 1 end) as marked_up,
        min(case when markup > 0 then markup end) as lowest
    from item
    group by vendor_key
), kind as (
    select type_key, count(*) - 1 as others, count(case when markup > 0 then 1 end) as marked_up,
        min(case when markup > 0 then markup end) as lowest
    from item
    group by type_key
), compared as (
    select i.guid, i.job_number, i.vendor_code, i.type_name, i.rate, i.quantity, i.vendor_tax, i.markup_applies_on,
        case when v.others >= $min_peers then 'vendor' else 'type' end as peer_group,
        case when v.others >= $min_peers then v.others else t.others end as peers,
        case when v.others >= $min_peers then v.marked_up else t.marked_up end as peers_with_markup,
        case when v.others >= $min_peers then v.lowest else t.lowest end as lowest_markup
    from item as i
    left join vendor as v on v.vendor_key = i.vendor_key
    left join kind as t on t.type_key = i.type_key
    where i.markup = 0 and not exists (
        select 1 from agreed_markup as c
        where (c.vendor_code is null or folded(c.vendor_code) = i.vendor_key) and (c.type_name is null or folded(c.type_name) = i.type_key)
    )
), priced as (
    select guid, job_number, vendor_code, type_name, peer_group, peers, peers_with_markup, lowest_markup,
        total_after_markup(rate, quantity, lowest_markup, vendor_tax, markup_applies_on)
            - total_after_markup(rate, quantity, 0, vendor_tax, markup_applies_on) as missing
    from compared
    where peers_with_markup >= $min_peers and 2 * peers_with_markup > peers
)
select guid as subject_id, job_number, missing as amount_at_risk,
    'no markup, while ' || cast(peers_with_markup as text) || ' of ' || cast(peers as text) || ' others of its ' || peer_group
        || ' carry one' as reason,
    vendor_code, type_name, peers, peers_with_markup, lowest_markup
from priced
where missing is null or abs(missing) > $tolerance
