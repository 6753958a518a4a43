-- Candidates of NRBs that nothing has settled: ties, and lines that name one, though not surely ($asks points ask, 1 point asks
-- weakly), unless the line is taken by others or its invoice is void.
-- out: nrb_guid text, jnid text, position int, reason text
with candidate as (
    select nrb_guid, jnid, position, reason, 1 as turn from unsettled
    union all
    select e.nrb_guid, e.jnid, e.position,
        case when e.points >= $settles then 'named, but the amounts of those who share the name do not add up: '
            when e.points >= $asks then 'named, but not surely: ' else 'perhaps named: ' end || e.terms as reason, 2 as turn
    from name_raised as e
    where e.points >= 1 and e.state_rank < 3 and e.line_cents <> 0
        and not exists (select 1 from settled as s where s.jnid = e.jnid and s.position = e.position)
), first_reason as (
    select c.nrb_guid, c.jnid, c.position, c.reason,
        row_number() over (partition by c.nrb_guid, c.jnid, c.position order by c.turn, c.reason) as turn
    from candidate as c
    where not exists (select 1 from settled as s where s.nrb_guid = c.nrb_guid)
)
select nrb_guid, jnid, cast(position as int) as position, reason from first_reason where turn = 1
