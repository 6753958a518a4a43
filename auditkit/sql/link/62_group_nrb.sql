-- Rung 6: unlinked NRBs that may be part of a group: billable, not internal, above 0. Inside one invoice (pass 1) or one job
-- (pass 2); `by_amount` as in line_scope.
-- out: block text, nrb_guid text, cents int, by_amount flag
select distinct case when $pass = 1 then s.jnid else l.job_key end as block, l.guid as nrb_guid,
    cast(cast(l.total as decimal(28, 2)) * 100 as bigint) as cents, s.by_amount
from nrb_leaf as l
join line_scope as s on s.nrb_guid = l.guid
where s.pass = $pass and s.state = $state
    and l.billable and not l.internal and l.total > 0
    and not exists (select 1 from link_line as k where k.nrb_guid = l.guid)
