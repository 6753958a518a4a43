-- The invoice that an NRB names, strongest evidence first: the mark as its guid, its number, its number without prefix (where that is
-- one invoice), its external id; else the NRB's own ids as its external id, in its own job. Ties: own job, then issued before draft
-- before void, then an equal amount on it, then the first on or after the cost. What is still tied are rivals: none is chosen.
-- NULL keys match nothing; a forbidden invoice never enters.
-- out: nrb_guid text, jnid text, method text, state_rank int, rivals int
with alone as (
    select number_loose from invoice_state
    where number_loose is not null
    group by number_loose having count(distinct number_key) = 1
), hit as (
    select l.guid as nrb_guid, i.jnid, 1 as step from nrb_leaf as l join invoice_state as i on i.guid_key = l.mark_guid
    union all
    select l.guid, i.jnid, 2 from nrb_leaf as l join invoice_state as i on i.number_key = l.mark_key
    union all
    select l.guid, i.jnid, 3
    from nrb_leaf as l
    join alone as a on a.number_loose = key_without_prefix(l.mark_key)
    join invoice_state as i on i.number_loose = a.number_loose
    union all
    select l.guid, i.jnid, 4 from nrb_leaf as l join invoice_state as i on i.external_key = l.mark_key
    union all
    select e.guid, i.jnid, 5
    from (
        select guid, job_key, external_key as own_key from nrb_leaf
        union all select guid, job_key, origin_key from nrb_leaf
        union all select guid, job_key, reference_key(mark_guid) from nrb_leaf
    ) as e
    join invoice_state as i on i.external_key = e.own_key
    join invoice_job as j on j.jnid = i.jnid and j.job_key = e.job_key and j.sure
), best as (
    select nrb_guid, jnid, min(step) as step from hit group by nrb_guid, jnid
), own_job as (
    select distinct jnid, job_key from invoice_job
), amount as (
    select distinct jnid, cents from invoice_line
), placed as (
    select b.nrb_guid, b.jnid, b.step, i.state_rank,
        case when j.jnid is null then 1 else 0 end as away,
        case when a.jnid is null then 1 else 0 end as other_amount,
        case when i.day >= l.accounting_date then 0 else 1 end as early
    from best as b
    join invoice_state as i on i.jnid = b.jnid
    join nrb_leaf as l on l.guid = b.nrb_guid
    left join own_job as j on j.jnid = b.jnid and j.job_key = l.job_key
    left join amount as a on a.jnid = b.jnid and a.cents = l.cents
    where not exists (
        select 1 from decision_forbid as f where f.nrb_guid = b.nrb_guid and f.jnid = b.jnid and f.line_key is null
    )
), ranked as (
    select nrb_guid, jnid, step, state_rank,
        rank() over (partition by nrb_guid order by step, away, state_rank, other_amount, early) as place
    from placed
)
select nrb_guid, min(jnid) as jnid,
    case min(step) when 1 then 'invoice guid' when 2 then 'invoice number' when 3 then 'invoice number without prefix'
        when 4 then 'external id' else 'own id' end as method,
    min(state_rank) as state_rank, count(*) as rivals
from ranked
where place = 1
group by nrb_guid
