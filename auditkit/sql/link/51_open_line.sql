-- The lines that no name has taken, in the blocks of open NRBs. Not retention; not a line that calls an NRB by a reference of its
-- own; labor only on a marked invoice that has nothing else.
-- out: block text, jnid text, position int, cents int, state_rank int
with invoice as (
    select jnid, max(case when labor or retention or cents = 0 then 0 else 1 end) = 0 as only_labor
    from invoice_line group by jnid
), line as (
    select t.jnid, t.position, t.cents, t.state_rank
    from invoice_line as t
    join invoice as i on i.jnid = t.jnid
    where t.cents <> 0 and not t.retention and (not t.labor or ($by_mark and i.only_labor))
        and not exists (select 1 from settled as s where s.jnid = t.jnid and s.position = t.position)
        and not exists (
            select 1 from name_raised as e
            where e.jnid = t.jnid and e.position = t.position and e.rank = 1 and e.points >= $asks
        )
), place as (
    select jnid as block, jnid from invoice where $by_mark
    union all
    select job_key, jnid from invoice_job where sure and not $by_mark
)
select p.block, l.jnid, l.position, l.cents, l.state_rank
from line as l
join place as p on p.jnid = l.jnid
where exists (select 1 from open_nrb as n where n.block = p.block)
