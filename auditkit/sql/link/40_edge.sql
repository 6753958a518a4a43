-- The pairs that settle: a person's word, and evidence of $settles points or more, of the NRB's best invoice state. A shared name is
-- dropped where a more specific name on that line explains it; a line that a person decided carries only what that person said.
-- own: a name that is the NRB's own or that no other NRB of the job bears. Shared names take part only among what own names leave.
-- out: nrb_guid text, jnid text, position int, name text, rank int, is_own flag, state_rank int, line_cents int
with strong as (
    select d.nrb_guid, t.jnid, t.position, '' as name, 0 as rank, 1 as bearers, t.state_rank, t.cents as line_cents
    from decision_link as d
    join invoice_line as t on t.line_key = d.line_key
    join nrb_leaf as l on l.guid = d.nrb_guid
    union all
    select nrb_guid, jnid, position, name, rank, bearers, state_rank, line_cents from name_raised where points >= $settles
), specific as (
    select s.nrb_guid, s.jnid, s.position, s.name, s.rank, s.state_rank, s.line_cents, s.rank <= 1 or s.bearers = 1 as is_own
    from strong as s
    where not exists (
            select 1 from strong as o
            join nrb_name as n on n.nrb_guid = o.nrb_guid and n.name = s.name
            where o.jnid = s.jnid and o.position = s.position and o.nrb_guid <> s.nrb_guid and o.rank < s.rank
        )
        and (s.rank = 0 or not exists (
            select 1 from strong as m where m.rank = 0 and m.jnid = s.jnid and m.position = s.position
        ))
), kept as (
    select p.nrb_guid, p.jnid, p.position, p.name, p.rank, p.state_rank, p.line_cents, p.is_own
    from specific as p
    where p.is_own or (
        not exists (select 1 from specific as o where o.is_own and o.nrb_guid = p.nrb_guid)
        and not exists (select 1 from specific as o where o.is_own and o.jnid = p.jnid and o.position = p.position)
    )
), ranked as (
    select nrb_guid, jnid, position, name, rank, is_own, state_rank, line_cents,
        min(state_rank) over (partition by nrb_guid) as best_state
    from kept
)
select nrb_guid, jnid, position, name, rank, is_own, state_rank, line_cents
from ranked
where state_rank = best_state
