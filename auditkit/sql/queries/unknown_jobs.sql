-- Lines of job_map.csv whose jobs are not in the snapshot. A NULL number matches nothing.
select m.aimsio_job_number, m.jobnimbus_job_number from job_map as m
where m.source = 'job_map.csv' and (
    not exists (select 1 from nrb as n where folded(n.job_number) = folded(m.aimsio_job_number))
    or not exists (select 1 from invoice_related as r
        where folded(r.type) = 'job' and folded(m.jobnimbus_job_number) in (folded(r.number), folded(r.related_id)))
)
order by m.aimsio_job_number, m.jobnimbus_job_number
