-- Rung 6: groups that a name holds together, each a single set that needs no search: all NRBs of one name sum to the line that
-- bears it, or the lines that name an NRB sum to it. A name is a reference of rung 4, a purchase order or a WBS, in
-- the line's text or in what the invoice says as a whole (number, external id, lines without an amount); or the line names each
-- of them, '(each)'; or all bear the mark of the invoice, '(mark)' (pass 1).
-- out: sets text, nrb_guid text, jnid text, position int
with known as (
    select nrb_guid, reference as name from nrb_reference
    union
    select l.guid, usable_reference(n.po_number) from nrb_leaf as l join nrb as n on n.guid = l.guid
    union
    select l.guid, usable_reference(n.wbs_identifier) from nrb_leaf as l join nrb as n on n.guid = l.guid
), invoice_name as (
    select jnid, usable_reference(number) as name from invoice
    union
    select jnid, usable_reference(external_id) from invoice
    union
    select k.jnid, k.token
    from line_token as k join invoice_item as t on t.jnid = k.jnid and t.position = k.position
    where coalesce(t.amount, 0) = 0
), line_name as (
    select jnid, position, token as name from line_token
    union
    select t.jnid, t.position, n.name from group_line as t join invoice_name as n on n.jnid = t.jnid
), pair as (
    select g.nrb_guid, g.cents as nrb_cents, t.jnid, t.position, t.cents as line_cents, n.name
    from group_nrb as g
    join known as k on k.nrb_guid = g.nrb_guid
    join group_line as t on t.block = g.block
    join line_name as n on n.jnid = t.jnid and n.position = t.position and n.name = k.name
    union
    select g.nrb_guid, g.cents, t.jnid, t.position, t.cents, '(each)'
    from group_nrb as g
    join nrb_reference as r on r.nrb_guid = g.nrb_guid and r.strength = 1
    join group_line as t on t.block = g.block
    join line_token as k on k.jnid = t.jnid and k.position = t.position and k.token = r.reference
    union all
    select g.nrb_guid, g.cents, t.jnid, t.position, t.cents, '(mark)'
    from group_nrb as g join group_line as t on t.block = g.block and t.by_amount
    where $pass = 1
), allowed as (
    select p.nrb_guid, p.nrb_cents, p.jnid, p.position, p.line_cents, p.name
    from pair as p
    where not exists (
        select 1 from group_forbidden as f
        where f.nrb_guid = p.nrb_guid and f.jnid = p.jnid and f.position = p.position
    )
), line_sum as (
    select jnid, position, name from allowed
    group by jnid, position, name
    having count(*) > 1 and sum(nrb_cents) = min(line_cents)
), nrb_sum as (
    select nrb_guid, jnid, name from allowed where name <> '(mark)'
    group by nrb_guid, jnid, name
    having count(*) > 1 and sum(line_cents) = min(nrb_cents)
)
select 'line ' || a.jnid || ' ' || cast(a.position as text) || ' ' || a.name as sets, a.nrb_guid, a.jnid, a.position
from allowed as a
join line_sum as s on s.jnid = a.jnid and s.position = a.position and s.name = a.name
union all
select 'nrb ' || a.nrb_guid || ' ' || a.jnid || ' ' || a.name, a.nrb_guid, a.jnid, a.position
from allowed as a
join nrb_sum as s on s.nrb_guid = a.nrb_guid and s.jnid = a.jnid and s.name = a.name
