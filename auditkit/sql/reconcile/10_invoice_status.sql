-- One invoice: issued, draft or void; its one job (of several that of its linked NRBs, else '(several)'); the sum of its lines.
-- A job that is only suggested does not count: the invoice keeps the job that it names. labor_beside: the labor blocks of its lines
-- that are charged beside their amounts, by the setting labor_in_amount; auto: where only with them the lines sum to the subtotal.
-- NULL subtotal counts as the sum of its lines, NULL tax as 0.00; a NULL total stays NULL.
-- out: jnid text, number text, state text, job_number text, job_key text, month date, line_count int, line_total money,
--   labor_beside money, subtotal money, tax money, total money
with job_number as (
    select job_key, min(job_number) as job_number from nrb_leaf where job_key is not null group by job_key
), mapped as (
    select folded(aimsio_job_number) as job_key, min(aimsio_job_number) as job_number from job_map group by folded(aimsio_job_number)
), entry as (
    select e.jnid, coalesce(n.job_number, m.job_number, c.job_number, e.written) as job_number
    from job_entry as e
    left join job_number as n on n.job_key = e.job_key
    left join mapped as m on m.job_key = e.job_key
    left join (
        select j.entry_key, min(n.job_number) as job_number
        from job_confirmed as j join job_number as n on n.job_key = j.job_key
        group by j.entry_key having count(*) = 1
    ) as c on c.entry_key = e.entry_key and e.job_key is null
), job as (
    select jnid, count(distinct folded(job_number)) as jobs, min(job_number) as job_number from entry group by jnid
), linked as (
    select k.jnid, count(distinct l.job_key) as jobs, min(l.job_number) as job_number
    from link as k join nrb_leaf as l on l.guid = k.nrb_guid
    group by k.jnid
), line as (
    select jnid, count(*) as line_count, sum(coalesce(amount, 0)) as line_total, sum(coalesce(labor_amount, 0)) as labor_total
    from invoice_item group by jnid
), summed as (
    select i.jnid, coalesce(t.line_count, 0) as line_count, coalesce(t.line_total, 0) as amounts,
        case when $labor_in_amount = 'no' then coalesce(t.labor_total, 0)
            when $labor_in_amount = 'auto' and i.subtotal <> t.line_total and i.subtotal = t.line_total + t.labor_total
                then t.labor_total
            else 0 end as labor_beside
    from invoice as i left join line as t on t.jnid = i.jnid
), resolved as (
    select i.jnid,
        case when j.jobs = 1 then j.job_number
            when j.jobs > 1 then case when k.jobs = 1 then k.job_number else '(several)' end end as job_number
    from invoice as i
    left join job as j on j.jnid = i.jnid
    left join linked as k on k.jnid = i.jnid
)
select i.jnid, i.number, s.state, r.job_number, folded(r.job_number) as job_key,
    cast(date_trunc('month', coalesce(i.invoice_date, i.created_on)) as date) as month,
    t.line_count, t.amounts + t.labor_beside as line_total, t.labor_beside,
    coalesce(i.subtotal, t.amounts + t.labor_beside) as subtotal, coalesce(i.tax, 0) as tax, i.total
from invoice as i
join invoice_state as s on s.jnid = i.jnid
join resolved as r on r.jnid = i.jnid
join summed as t on t.jnid = i.jnid
