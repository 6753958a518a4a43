-- The findings of the rule $rule about invoices, open and accepted. lines: what its lines say and charge, the same for two invoices with
-- the same lines; NULL: it has none. nrbs: the costs that its lines carry.
select i.jnid, i.total, coalesce(i.total_paid, 0) as total_paid, i.created_at, s.state, s.job_key, s.job_number,
    f.rule_id, f.fingerprint, f.evidence, f.state as finding_state, r.digest as rule_digest,
    (select string_agg(coalesce(reference_key(coalesce(t.name, '') || ' ' || coalesce(t.description, '')), '') || ' '
            || coalesce(cast(t.amount as varchar), ''),
        '; ' order by reference_key(coalesce(t.name, '') || ' ' || coalesce(t.description, '')), t.amount)
        from invoice_item as t where t.jnid = i.jnid) as lines,
    coalesce((select list_sort(list(distinct k.nrb_guid)) from link as k where k.jnid = i.jnid), []) as nrbs
from finding as f
join invoice as i on i.jnid = f.subject_id
join invoice_status as s on s.jnid = i.jnid
join rule as r on r.rule_id = f.rule_id
where f.rule_id = $rule
order by i.jnid
