-- id: nrb-price-odd
-- title: Unit price far from its peers
-- assertion: valuation
-- severity: low
-- subject: nrb
-- param: factor decimal = 3.00
-- param: min_peers int = 8
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, type_name text, name text, rate qty, usual ratio, peers int
-- why: A misplaced decimal point or the price of another item changes the cost many times over.
-- remedy: Compare with the vendor's document; correct rate or quantity.
-- note: Leaves of the same vendor, type and name with at least $min_peers others, of which nine in ten are within a quarter of the median, whose
--   rate is more than $factor times the median or less than its $factor-th part. A name for things of many prices is silent. NULL or
--   non-positive rates: silent.
with item as (
    select s.guid, s.job_number, s.total, n.vendor_code, n.type_name, n.name, n.rate, folded(n.vendor_code) as vendor_key,
        folded(n.type_name) as type_key, folded(n.name) as name_key
    from nrb_status as s join nrb as n on n.guid = s.guid
    where n.rate > 0
), middle as (
    select vendor_key, type_key, name_key, median_money(rate) as rate, count(*) as items
    from item group by vendor_key, type_key, name_key
), usual as (
    select m.vendor_key, m.type_key, m.name_key, m.rate, m.items - 1 as peers,
        count(case when abs(cast(i.rate as double) - m.rate) * 4 <= m.rate then 1 end) as near
    from middle as m
    join item as i on i.vendor_key = m.vendor_key and i.type_key is not distinct from m.type_key and i.name_key = m.name_key
    group by m.vendor_key, m.type_key, m.name_key, m.rate, m.items
)
select i.guid as subject_id, i.job_number, i.total as amount_at_risk,
    'rate ' || regexp_replace(cast(i.rate as text), '[.]?0+$', '', 'g') || ', usually about ' || cast(round_to(u.rate, 100) as text) as reason,
    i.vendor_code, i.type_name, i.name, i.rate, u.rate as usual, u.peers
from item as i
join usual as u on u.vendor_key = i.vendor_key and u.type_key is not distinct from i.type_key and u.name_key = i.name_key
where u.peers >= $min_peers and u.near * 10 >= u.peers * 9
    and (cast(i.rate as double) > u.rate * cast($factor as double) or cast(i.rate as double) * cast($factor as double) < u.rate)
