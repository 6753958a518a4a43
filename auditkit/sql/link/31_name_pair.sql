-- Every NRB and line that a name brings together. A common name is looked for in its own job and on the marked invoice, and where
-- the invoice or the NRB has no job; a distinct one everywhere. away: 0 a job of its own, 1 its job is only suggested or its mark names the invoice, 2 the invoice names
-- no job, 3 another job. A forbidden pair never enters.
-- out: nrb_guid text, jnid text, position int, spelled text, away int, marked flag
with own_job as (
    select l.guid as nrb_guid, j.jnid, max(case when j.sure then 1 else 0 end) = 1 as sure
    from nrb_leaf as l join invoice_job as j on j.job_key = l.job_key
    group by l.guid, j.jnid
), jobless as (
    select s.jnid from invoice_state as s where not exists (select 1 from job_entry as e where e.jnid = s.jnid)
), near_by as (
    select n.nrb_guid, p.jnid, p.position, n.spelled
    from nrb_name as n
    join own_job as o on o.nrb_guid = n.nrb_guid
    join line_name as p on p.jnid = o.jnid and p.spelled = n.spelled
    union
    select n.nrb_guid, p.jnid, p.position, n.spelled
    from nrb_name as n
    join invoice_found as f on f.nrb_guid = n.nrb_guid
    join line_name as p on p.jnid = f.jnid and p.spelled = n.spelled
    union
    select n.nrb_guid, p.jnid, p.position, n.spelled
    from nrb_name as n
    join line_name as p on p.spelled = n.spelled
    where n.form = 'distinct' and n.rank <= 3
    union
    select n.nrb_guid, p.jnid, p.position, n.spelled
    from nrb_name as n
    join line_name as p on p.spelled = n.spelled
    join jobless as b on b.jnid = p.jnid
    where n.form = 'plain' and n.rank <= 2
    union
    select n.nrb_guid, p.jnid, p.position, n.spelled
    from nrb_name as n
    join nrb_leaf as l on l.guid = n.nrb_guid and l.job_key is null
    join line_name as p on p.spelled = n.spelled
    where n.form = 'plain' and n.rank <= 2
), located as (
    select m.nrb_guid, m.jnid, m.position, m.spelled, f.jnid is not null as marked,
        case when o.sure then 0 when o.nrb_guid is not null then 1 when f.jnid is not null then 1
            when b.jnid is not null then 2 else 3 end as away
    from near_by as m
    left join own_job as o on o.nrb_guid = m.nrb_guid and o.jnid = m.jnid
    left join invoice_found as f on f.nrb_guid = m.nrb_guid and f.jnid = m.jnid
    left join jobless as b on b.jnid = m.jnid
)
select p.nrb_guid, p.jnid, p.position, p.spelled, p.away, p.marked
from located as p
join invoice_line as t on t.jnid = p.jnid and t.position = p.position
where not exists (
    select 1 from decision_forbid as d
    where d.nrb_guid = p.nrb_guid and d.jnid = p.jnid and (d.line_key is null or d.line_key = t.line_key)
)
