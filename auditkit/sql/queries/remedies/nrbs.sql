-- The open findings of the rule $rule about costs, with what a remedy needs. reference: the name by which the next audit finds a line:
-- the external id where it is distinct and names no other cost, else the guid. look_at: the lines of the same amount that a person looks
-- at first; NULL: none.
with alike as (
    select e.nrb_guid, string_agg(distinct coalesce(i.number, e.jnid) || '/' || e.position, ', ') as look_at
    from evidence as e
    join invoice as i on i.jnid = e.jnid
    where e.kind = 'amount' and not exists (select 1 from link as k where k.jnid = e.jnid and k.position = e.position)
    group by e.nrb_guid
)
select n.*, f.rule_id, f.amount_at_risk, f.fingerprint, f.reason, f.evidence, r.digest as rule_digest, s.job_key,
    s.state, s.charged, s.billed_mark, s.look_first, a.look_at,
    exists (
        select 1 from raw.nrb_body as b
        where b.guid = n.guid and b.last_sync = (select max(sync_id) from sync_run)
    ) as has_own_record,
    case when key_form(reference_key(n.external_id)) = 'distinct'
            and (select count(distinct o.nrb_guid) from nrb_name as o where o.name = reference_key(n.external_id)) = 1
        then n.external_id else n.guid end as reference,
    case when (select count(*) from nrb as o where n.origin_reference in (o.origin_reference, o.external_id)) = 1
        then n.origin_reference else n.guid end as own_key,
    cast(n.rate * n.quantity as decimal(18, 2)) + coalesce(n.vendor_tax, 0) as cost,
    (select min(p.job_number) from nrb as p where p.guid = n.parent_guid) as parent_job,
    (select case when count(distinct o.po_number) = 1 then min(o.po_number) end from nrb as o
        where o.vendor_code = n.vendor_code and o.job_number = n.job_number) as only_po
from finding as f
join nrb as n on n.guid = f.subject_id
join nrb_status as s on s.guid = n.guid
join rule as r on r.rule_id = f.rule_id
left join alike as a on a.nrb_guid = n.guid
where f.rule_id = $rule and f.state = 'open'
order by n.guid
