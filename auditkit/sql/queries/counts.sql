-- What an audit counts of a snapshot ($sync_id), by which it is called clean, incomplete or with findings. A NULL amount is counted as missing.
select
    (select count(*) from nrb_status) as leaves,
    (select count(*) from invoice) as invoices,
    (select count(*) from invoice_item) as lines,
    (select coalesce(sum(coalesce(json_array_length(b.body, '$.items'), 0)), 0) from raw.invoice_body as b
        where b.last_sync = $sync_id and json_valid(b.body)
            and b.jnid in (select jnid from invoice)) as lines_in_bodies,
    (select count(*) from quarantine) as quarantined,
    (select count(*) from unreadable_field) as fields_unreadable,
    (select count(*) from unreadable_field where matters = 'money') as amounts_unreadable,
    (select count(*) from nrb_status where total is null) as nrb_without_total,
    (select count(*) from invoice_item where amount is null) as lines_without_amount,
    (select count(*) from invoice_status where total is null and state = 'issued') as invoices_without_total,
    (select count(*) from statement where code = 'difference' and (gross <> 0 or amount <> 0)) as residuals,
    (select count(*) from statement as s where s.scope = 'all' and s.code = 'unbilled'
        and s.amount <> (select -coalesce(sum(amount), 0) from exposure where side = 'charge')) as exposure_gaps,
    (select count(*) from ({unknown_jobs}) as m) as job_map_unknown,
    (select count(*) from nrb_state where state in ('undecided', 'marked_several', 'unreadable')) as nrb_undecided,
    (select count(*) from finding) as findings,
    (select count(*) from finding where state = 'accepted') as findings_accepted,
    (select count(*) from (
        select subject_type, subject_id from quarantine
        union
        select subject_type, subject_id from unreadable_field where matters = 'money'
    ) as q where not exists (
        select 1 from finding as f where f.rule_id = 'record-quarantined' and f.state = 'accepted'
            and f.subject_type = q.subject_type and f.subject_id = q.subject_id
    )) as unread_unaccepted
