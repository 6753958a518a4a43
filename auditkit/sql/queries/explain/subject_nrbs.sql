-- (subject_nrbs) The NRBs that a finding is about ($type, $id, $job, $evidence). Of an NRB also its parent, which may be the record
-- that names it, and those that its evidence names; of a job also those on its invoices. A NULL job matches what has no job.
    select $id as guid where $type = 'nrb'
    union select parent_guid from nrb where $type = 'nrb' and guid = $id and parent_guid is not null
    union select guid from nrb where $type = 'nrb' and guid <> $id and contains($evidence, '"' || guid)
    union select guid from nrb where $type = 'nrb' and guid <> $id and contains($evidence, ' ' || guid)
    union select nrb_guid from link where ($type = 'invoice' and jnid = $id)
        or ($type = 'invoice_item' and jnid || '/' || position = $id)
    union select guid from nrb_status where $type = 'job' and job_key is not distinct from folded($job)
    union select nrb_guid from link where $type = 'job'
        and jnid in (select jnid from invoice_status where job_key is not distinct from folded($job))
