-- (subject_invoices) The invoices that a finding is about ($type, $id, $job); of a job also those that carry its NRBs.
    select $id as jnid where $type = 'invoice'
    union select jnid from invoice_item where $type = 'invoice_item' and jnid || '/' || position = $id
    union select jnid from link where $type = 'nrb' and nrb_guid = $id
    union select jnid from evidence where $type = 'nrb' and nrb_guid = $id and points > 0
    union select jnid from invoice_status where $type = 'job' and job_key is not distinct from folded($job)
    union select jnid from link where $type = 'job'
        and nrb_guid in (select guid from nrb_status where job_key is not distinct from folded($job))
