-- Every leaf in exactly one state, the first that fits. charged: net on issued lines. left_over: total less charged, what is still to
-- bill. found_jnid: the invoice of its mark. look_first: unbilled, but an open line of its job has the same amount, too common to link.
-- unreadable: nobody can say, because something that decides could not be read. A NULL total counts as 0.00.
-- out: guid text, state text, charged money, left_over money, note text, look_first flag, found_jnid text, found_method text,
--   matched_by text
with size as (
    select jnid, position, count(*) as nrbs from link group by jnid, position
), summed as (
    select k.nrb_guid, min(k.state_rank) as best,
        sum(case when k.state_rank = 1 then whole_cents(k.invoiced_amount) else 0 end) as charged,
        count(case when k.state_rank = 1 then 1 end) as lines,
        max(case when k.state_rank = 1 and k.invoiced_amount > 0 then 1 else 0 end) as has_charge,
        max(case when k.state_rank = 1 and k.invoiced_amount < 0 then 1 else 0 end) as has_credit,
        min(case k.method when 'manual' then 'name' else k.method end) as first_method,
        max(s.nrbs) as sharing, min(case when k.state_rank = 1 then k.jnid end) as billed_jnid,
        max(case when f.nrb_guid is null then 0 else 1 end) as on_found
    from link as k
    join size as s on s.jnid = k.jnid and s.position = k.position
    left join invoice_known as f on f.nrb_guid = k.nrb_guid and f.jnid = k.jnid
    group by k.nrb_guid
), readable as (
    select distinct jnid from invoice_line where cents <> 0
), joined as (
    select l.guid, l.cents, l.tax_cents, l.internal, l.billable, l.billed_mark, l.total, l.job_key, l.vendor_code,
        l.document_key, s.best, coalesce(s.charged, 0) as charged, coalesce(s.lines, 0) as lines, s.has_charge, s.has_credit,
        s.first_method, s.billed_jnid, s.on_found, f.jnid as found_jnid, f.method as found_method, f.state_rank as found_rank,
        coalesce(f.rivals, 0) as rivals, r.jnid is not null as is_readable, u.nrb_guid is not null as is_undecided,
        coalesce(x.total, false) as total_unread, coalesce(x.line, false) as line_unread, coalesce(x.record, false) as record_unread,
        greatest(whole_cents($tolerance), case when coalesce(s.sharing, 1) > 1 then floor((s.sharing + 1) * 0.5) else 0 end) as tolerance
    from nrb_leaf as l
    left join summed as s on s.nrb_guid = l.guid
    left join invoice_known as f on f.nrb_guid = l.guid
    left join readable as r on r.jnid = f.jnid
    left join (select distinct nrb_guid from undecided) as u on u.nrb_guid = l.guid
    left join unread_leaf as x on x.guid = l.guid
), open_leaf as (
    select guid, cents, job_key, vendor_code, document_key,
        row_number() over (partition by job_key, vendor_code, document_key, cents order by guid) as turn
    from joined
    where not internal and billable and lines = 0 and best is null and not billed_mark and rivals = 0 and not is_undecided
        and cents <> 0 and document_key is not null and not record_unread
), reversed as (
    select a.guid
    from open_leaf as a
    join open_leaf as b on b.job_key is not distinct from a.job_key and b.vendor_code is not distinct from a.vendor_code
        and b.document_key = a.document_key and b.cents = -a.cents and b.turn = a.turn
), alike as (
    select distinct nrb_guid from amount_pair
), judged as (
    select j.guid, j.cents, j.charged, j.lines, j.tax_cents, j.tolerance, j.found_jnid, j.found_method, j.billed_mark, j.billed_jnid,
        j.on_found, j.first_method,
        case
            when j.internal then 'internal'
            when not j.billable then 'not_billable'
            when j.total_unread or (j.lines > 0 and j.line_unread) then 'unreadable'
            when j.cents = 0 and j.total is not null and j.charged = 0 then 'nothing_to_bill'
            when j.lines > 0 and j.charged = 0 and j.has_charge = 1 and j.has_credit = 1 then 'credited_back'
            when j.lines > 0 and abs(j.charged - j.cents) <= j.tolerance then 'billed_full'
            when j.lines > 0 and j.tax_cents <> 0 and $vendor_tax <> 'rebilled'
                and abs(j.charged - (j.cents - j.tax_cents)) <= j.tolerance then 'billed_full'
            when j.lines > 1 and j.cents <> 0 and abs(j.charged - 2 * j.cents) <= abs(j.cents) * $twice then 'charged_twice'
            when j.lines > 0 and sign(j.cents) * (j.charged - j.cents) > 0 then 'billed_over'
            when j.lines > 0 and j.cents = 0 then 'billed_over'
            when j.lines > 0 then 'billed_part'
            when j.best = 2 then 'on_draft'
            when j.best = 3 and not j.is_undecided then 'on_void'
            when j.is_undecided then 'undecided'
            when j.rivals > 1 then 'marked_several'
            when j.rivals = 1 and j.found_rank = 3 then 'on_void'
            when j.rivals = 1 and j.found_rank = 2 then 'on_draft'
            when (j.rivals = 1 and not j.is_readable) or j.record_unread then 'unreadable'
            when j.rivals = 1 then 'not_on_invoice'
            when j.billed_mark then 'not_found'
            when r.guid is not null then 'reversed'
            else 'unbilled' end as state
    from joined as j
    left join reversed as r on r.guid = j.guid
)
select s.guid, s.state, cast(cast(s.charged as decimal(36, 0)) * 0.01 as decimal(38, 2)) as charged,
    cast(cast(s.cents - s.charged as decimal(36, 0)) * 0.01 as decimal(38, 2)) as left_over,
    case when s.state = 'billed_full' and s.charged <> s.cents and s.tax_cents <> 0 and abs(s.charged - (s.cents - s.tax_cents)) <= s.tolerance
            and abs(s.charged - s.cents) > s.tolerance then 'short by exactly the vendor''s tax'
        when s.lines > 0 and s.billed_mark and s.found_jnid is not null and s.on_found = 0 then 'billed on another invoice than its mark names'
        when s.lines > 0 and not s.billed_mark then 'billed, though not marked as billed' end as note,
    s.state = 'unbilled' and a.nrb_guid is not null as look_first,
    s.found_jnid, s.found_method, case when s.lines > 0 then s.first_method end as matched_by
from judged as s
left join alike as a on a.nrb_guid = s.guid
