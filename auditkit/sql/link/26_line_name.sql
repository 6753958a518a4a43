-- The names on each line. A name inside a longer one that the line's own job knows is not there: R-1 in R-1-2. explained: the
-- line's own job knows some name at each of its places.
-- out: jnid text, position int, spelled text, said flag, poor_place flag, place_word flag, part flag, explained flag
with placed as (
    select s.jnid, s.position, s.run, s.said, s.poor_place, s.place_word, s.part,
        exists (
            select 1 from line_cover as c
            where c.jnid = s.jnid and c.position = s.position and c.first <= s.last and c.last >= s.first
        ) as explained
    from line_spot as s
    where not exists (
        select 1 from line_cover as c
        where c.jnid = s.jnid and c.position = s.position and c.first <= s.first and c.last >= s.last
            and c.last - c.first > s.last - s.first
    )
)
select jnid, position, run as spelled, max(case when said then 1 else 0 end) = 1 as said,
    min(case when poor_place then 1 else 0 end) = 1 as poor_place,
    min(case when place_word then 1 else 0 end) = 1 as place_word,
    min(case when part then 1 else 0 end) = 1 as part,
    min(case when explained then 1 else 0 end) = 1 as explained
from placed
group by jnid, position, run
