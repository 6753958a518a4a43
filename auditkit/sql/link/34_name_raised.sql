-- A name of a sole bearer that only asks settles where other lines speak for it: the same name is strong on another line of the NRB
-- (2 points), or all its lines of that name on issued invoices sum exactly to the NRB's total (2 points; fewer where chance would
-- hardly make that sum). Never on labor or retention, nor on another job.
-- out: nrb_guid text, jnid text, position int, name text, rank int, form text, bearers int, away int, marked flag, labor flag,
--   retention flag, same_amount flag, foreign_jobs int, line_cents int, cents int, state_rank int, terms text, points int
with usable as (
    select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs,
        line_cents, cents, state_rank, terms, points,
        bearers = 1 and not labor and not retention and away < 3 and line_cents <> 0 as counts
    from name_evidence
), grouped as (
    select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs,
        line_cents, cents, state_rank, terms, points, counts,
        max(points) over (partition by nrb_guid, name) as best,
        sum(case when counts and points >= 2 and state_rank = 1 then line_cents end) over (partition by nrb_guid, name) as asking,
        sum(case when counts and state_rank = 1 then line_cents end) over (partition by nrb_guid, name) as together,
        count(case when counts and state_rank = 1 then 1 end) over (partition by nrb_guid, name) as lines,
        min(case when counts and state_rank = 1 then roundness(abs(line_cents)) end) over (partition by nrb_guid, name) as roundness
    from usable
), raised as (
    select g.nrb_guid, g.jnid, g.position, g.name, g.rank, g.form, g.bearers, g.away, g.marked, g.labor, g.retention, g.same_amount,
        g.foreign_jobs, g.line_cents, g.cents, g.state_rank, g.terms, g.points,
        case when not g.counts or g.points >= $settles then null
            when g.points = $asks and g.best >= $settles then ', the name is strong on another line'
            when g.points = $asks and g.asking = g.cents then ', all lines of the name sum to the NRB'
            when g.lines > 1 and g.together = g.cents and g.state_rank = 1
                and ratio(g.roundness, abs(g.cents)) * r.share <= $chance then ', all lines of the name sum to the NRB'
            end as reason
    from grouped as g
    left join round_share as r on r.roundness = g.roundness
)
select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs, line_cents,
    cents, state_rank,
    case when reason is null then terms else terms || reason || ' +' || cast($settles - points as text) end as terms,
    case when reason is null then points else $settles end as points
from raised
