-- The control total of one source ($subject: nrb or invoice) in the newest read.
select control_total from sync_source where subject_type = $subject and sync_id = (select max(sync_id) from sync_run)
