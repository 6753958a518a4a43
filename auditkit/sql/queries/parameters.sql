-- What the newest audit was run with, of what a person may choose for a notebook.
select as_of, cast(parameters ->> 'tolerance' as decimal(18, 2)) as tolerance from audit_run
