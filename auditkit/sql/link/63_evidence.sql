-- Everything that speaks for a pair of NRB and line (position NULL: of NRB and invoice), also weakly: names, the NRB's mark, and equal
-- amounts in one block with how many such hits chance would make (expected).
-- out: nrb_guid text, jnid text, position int, kind text, name text, name_rank int, points int, same_amount flag, marked flag, away int, labor flag,
--   retention flag, foreign_jobs int, expected ratio, terms text
select nrb_guid, jnid, position, 'name' as kind, name, rank as name_rank, points, same_amount, marked, away, labor, retention, foreign_jobs,
    cast(null as double) as expected, terms
from name_raised
union all
select f.nrb_guid, f.jnid, cast(null as int), 'mark', l.mark_text, cast(null as int), case when f.rivals = 1 then $settles else $asks end,
    cast(null as boolean), true, cast(null as int), cast(null as boolean), cast(null as boolean), cast(null as int),
    cast(null as double),
    case when l.billed_mark then 'its mark ' || coalesce(l.mark_text, '') || ' is the ' || f.method || ' of the invoice'
        else 'its own id is the external id of the invoice' end
        || case when f.rivals > 1 then ', and of ' || cast(f.rivals - 1 as text) || ' more' else '' end
from invoice_found as f
join nrb_leaf as l on l.guid = f.nrb_guid
union all
select nrb_guid, jnid, position, 'amount', cast(null as text), cast(null as int), 1, true, marked, 0, cast(null as boolean), false, cast(null as int),
    expected, terms
from amount_evidence
