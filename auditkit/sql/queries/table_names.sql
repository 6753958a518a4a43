-- The names that a question may use without a schema: tables and views.
select table_name from duckdb_tables() where database_name = current_database() and schema_name = 'main'
union all
select view_name from duckdb_views() where database_name = current_database() and schema_name = 'main' and not internal
order by 1
