-- Of the two snapshots, those made by an older version, without the items of the statement.
select a.sync_id
from (select 'before' as catalog, sync_id from before.audit_run union all select 'audit', sync_id from audit_run) as a
where not exists (
    select 1 from duckdb_tables() as t where t.database_name = a.catalog and t.table_name = 'statement_item'
)
order by a.sync_id
