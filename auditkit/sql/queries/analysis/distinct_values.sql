-- The different values of a column, each also as text; NULL last.
select distinct s.{column}, cast(s.{column} as varchar) from {source} as s order by 1 nulls last limit {most}
