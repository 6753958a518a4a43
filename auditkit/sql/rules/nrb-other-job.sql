-- id: nrb-other-job
-- title: On another job's invoice
-- assertion: classification
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, jnid text, invoice_number text, other_job text
-- key: jnid
-- why: One client pays for another job's cost, or the cost is booked on the wrong job: both jobs' margins are wrong.
-- remedy: Ask which job the cost belongs to; correct the job of the NRB or the invoice, or confirm the line.
-- note: An issued line of an invoice that surely belongs to other jobs only: it carries the NRB, or holds a reference of its own while no line of
--   its own job may carry it. A line that a person confirmed is silent. A NULL total fires;
--   a NULL job is nrb-missing-key.
with carried as (
    select q.nrb_guid, q.jnid
    from line_question as q
    join link as k on k.nrb_guid = q.nrb_guid and k.jnid = q.jnid and k.method <> 'manual'
    where q.kind = 'of another job'
), candidate as (
    select u.nrb_guid, min(case when e.points >= 2 and i.state = 'issued' then u.jnid end) as jnid,
        min(case when e.away = 3 and e.name_rank = 1 then 1 else 0 end) as is_away
    from undecided as u
    join nrb_status as s on s.guid = u.nrb_guid and s.state = 'undecided'
    join invoice_status as i on i.jnid = u.jnid
    left join evidence as e on e.nrb_guid = u.nrb_guid and e.jnid = u.jnid and e.position = u.position and e.kind = 'name'
    group by u.nrb_guid
), one as (
    select nrb_guid, min(jnid) as jnid from carried group by nrb_guid
    union all
    select nrb_guid, jnid from candidate where is_away = 1
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    'on invoice ' || coalesce(i.number, i.jnid) || ' of job ' || coalesce(i.job_number, '(none)') as reason,
    o.jnid, i.number as invoice_number, i.job_number as other_job
from one as o
join nrb_status as s on s.guid = o.nrb_guid
join invoice_status as i on i.jnid = o.jnid
