-- The audit of this snapshot, with every parameter.
select * from audit_run
