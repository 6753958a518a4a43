-- The columns of the table $name: name, type, meaning. No row for an unknown table.
select column_name as name, lower(data_type) as type, comment as holds
from duckdb_columns()
where database_name = 'audit' and not internal
    and case schema_name when 'main' then table_name else schema_name || '.' || table_name end = lower($name)
order by column_index
