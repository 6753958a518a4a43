-- What each exception costs: each cost or invoice once per side, by its first cause. charge: billable cost not billed, the headline; its
-- sum is that of the statement's subtotal unbilled. The other sides are other money: sides are never added. standing: open, accepted,
-- excluded; not yet due: within the days of grace; below threshold: no rule shows it. also: other rules that found the same.
-- out: side text, cause text, label text, subject_type text, subject_id text, nrb_guid text, jnid text, job_number text, amount money,
--   standing text, rule_id text, fingerprint text, also text
with cause as (
    select side, cause, min(position) as position, min(label) as label from exposure_cause group by side, cause
), ranked as (
    select e.side, e.cause, c.label, e.nrb_guid, e.jnid, e.job_number, e.amount,
        row_number() over (partition by e.side, e.nrb_guid, e.jnid order by c.position) as turn
    from exposed as e join cause as c on c.side = e.side and c.cause = e.cause
), shown as (
    select c.side, c.cause, f.nrb_guid, f.jnid, min(f.rule_id) as rule_id, min(f.fingerprint) as fingerprint, min(f.state) as state
    from finding_subject as f
    join exposure_cause as c on c.rule_id = f.rule_id
    group by c.side, c.cause, f.nrb_guid, f.jnid
), other as (
    select nrb_guid, jnid, string_agg(distinct rule_id, ' ' order by rule_id) as rules from finding_subject group by nrb_guid, jnid
)
select r.side, r.cause, r.label, case when r.jnid is null then 'nrb' else 'invoice' end as subject_type,
    coalesce(r.nrb_guid, r.jnid) as subject_id, r.nrb_guid, r.jnid, r.job_number, r.amount,
    case when s.state is not null then s.state
        when r.cause in ('never_invoiced', 'look_first') and $grace_days > 0
            and days_between(n.accounting_date, $as_of) < $grace_days then 'not yet due'
        else 'below threshold' end as standing,
    s.rule_id, s.fingerprint, o.rules as also
from ranked as r
left join shown as s on s.side = r.side and s.cause = r.cause and s.nrb_guid is not distinct from r.nrb_guid
    and s.jnid is not distinct from r.jnid
left join other as o on o.nrb_guid is not distinct from r.nrb_guid and o.jnid is not distinct from r.jnid
left join nrb_status as n on n.guid = r.nrb_guid
where r.turn = 1
