-- Every link: to an invoice (position NULL, rungs 1 to 3) and to a line (rungs 0, 4 to 6). A line that carries several NRBs is
-- shared by their totals where these sum to it, else pro rata with the largest remainder; an NRB on several lines is split the
-- same way. So the shares of a line sum to the line, and the parts of an NRB to its total.
-- out: nrb_guid text, jnid text, position int, method text, group_id text, nrb_amount money, invoiced_amount money
with part as (
    select k.nrb_guid, k.jnid, k.position, k.method,
        coalesce(l.total, 0) as total, coalesce(t.amount, 0) as amount,
        count(*) over (partition by k.jnid, k.position) as nrbs,
        count(*) over (partition by k.nrb_guid) as lines,
        sum(abs(coalesce(l.total, 0))) over (partition by k.jnid, k.position) as line_weight,
        sum(coalesce(l.total, 0)) over (partition by k.jnid, k.position) as line_nrb_total,
        sum(abs(coalesce(t.amount, 0))) over (partition by k.nrb_guid) as nrb_weight,
        sum(coalesce(t.amount, 0)) over (partition by k.nrb_guid) as nrb_line_total
    from link_line as k
    join nrb_leaf as l on l.guid = k.nrb_guid
    join invoice_item as t on t.jnid = k.jnid and t.position = k.position
), block as (
    select nrb_guid, jnid, position, method, total, amount, nrbs, lines, line_weight, nrb_weight,
        line_nrb_total = amount and max(lines) over (partition by jnid, position) = 1 as is_exact_line,
        nrb_line_total = total and max(nrbs) over (partition by nrb_guid) = 1 as is_exact_nrb
    from part
), floored as (
    select nrb_guid, jnid, position, method, total, amount, nrbs, lines,
        case when nrbs = 1 then amount when is_exact_line then total
            else share_floor(amount, total, line_weight, nrbs) end as line_share,
        case when lines = 1 then total when is_exact_nrb then amount
            else share_floor(total, amount, nrb_weight, lines) end as nrb_share,
        share_rest(amount, total, line_weight) as line_rest,
        share_rest(total, amount, nrb_weight) as nrb_rest
    from block
), remainder as (
    select nrb_guid, jnid, position, method, nrbs, lines, line_share, nrb_share,
        amount - sum(line_share) over (partition by jnid, position) as line_left,
        total - sum(nrb_share) over (partition by nrb_guid) as nrb_left,
        row_number() over (partition by jnid, position order by line_rest desc, nrb_guid) as line_turn,
        row_number() over (partition by nrb_guid order by nrb_rest desc, jnid, position) as nrb_turn
    from floored
)
select nrb_guid, jnid, position, method,
    case when lines > 1 then nrb_guid when nrbs > 1 then jnid || '/' || position end as group_id,
    nrb_share + case when nrb_turn <= abs(nrb_left) * 100 then 0.01 * sign(nrb_left) else 0.00 end as nrb_amount,
    line_share + case when line_turn <= abs(line_left) * 100 then 0.01 * sign(line_left) else 0.00 end as invoiced_amount
from remainder
union all
select f.nrb_guid, f.jnid, cast(null as int) as position, f.method, cast(null as text) as group_id, l.total as nrb_amount,
    cast(null as decimal(18, 2)) as invoiced_amount
from invoice_found as f join nrb_leaf as l on l.guid = f.nrb_guid
