-- id: nrb-missing-key
-- title: Required field missing
-- assertion: completeness
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, vendor_code text, external_id text, po_number text
-- key: reason
-- why: Without vendor, job, rate or quantity nobody can tell from whom, for what or at which price it was bought.
-- remedy: Fill in the field from the vendor's document.
-- note: Leaves. The external id and the PO are needed only where the NRB shall reconcile with a PO; NULL counts as not.
with missing as (
    select s.guid, s.job_number, s.total, n.vendor_code, n.external_id, n.po_number,
        case when n.vendor_code is null then ', vendor code' else '' end
            || case when n.job_number is null then ', job' else '' end
            || case when n.rate is null then ', rate' else '' end
            || case when n.quantity is null then ', quantity' else '' end
            || case when n.should_reconcile_with_po and n.external_id is null then ', external id' else '' end
            || case when n.should_reconcile_with_po and n.po_number is null then ', PO' else '' end as fields
    from nrb_status as s join nrb as n on n.guid = s.guid
)
select guid as subject_id, job_number, total as amount_at_risk, 'it has no ' || substring(fields, 3) as reason,
    vendor_code, external_id, po_number
from missing
where fields <> ''
