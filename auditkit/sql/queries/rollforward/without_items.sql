-- Of the two snapshots, those made by an older version, whose items of the statement have no code.
select a.sync_id
from (select 'before' as catalog, sync_id from before.audit_run union all select 'audit', sync_id from audit_run) as a
where not exists (
    select 1 from duckdb_columns() as c
    where c.database_name = a.catalog and c.table_name = 'statement_item' and c.column_name = 'code'
)
order by a.sync_id
