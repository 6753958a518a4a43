-- Every public table and what one of its rows is.
select case schema_name when 'main' then table_name else schema_name || '.' || table_name end as name,
    comment as holds
from duckdb_tables() where database_name = 'audit' and not internal
order by schema_name, table_name
