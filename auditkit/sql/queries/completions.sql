-- Tables and columns whose names begin with $word, for the Tab key.
select distinct name
from (
    select table_name as name from duckdb_tables() where database_name = 'audit'
    union all
    select column_name from duckdb_columns() where database_name = 'audit' and not internal
)
where starts_with(lower(name), $word)
order by name
