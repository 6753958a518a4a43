-- Differences of one job, or one month, that cancel each other to the cent: the k-th that adds an amount with the k-th that takes it
-- away, so that none is in two pairs of a scope. NULL key: records without a job or a month are together, as in the statement.
-- out: scope text, key text, amount money, minus_label text, minus_type text, minus_id text, minus_nrb_guid text, plus_label text,
--   plus_type text, plus_id text, plus_nrb_guid text
with difference as (
    select i.position, i.label, i.subject_type, i.subject_id, i.nrb_guid, i.job_number, i.month, i.amount
    from statement_item as i join statement_row as r on r.code = i.code
    where r.is_difference and i.amount <> 0
), item as (
    select 'job' as scope, job_number as key, position, label, subject_type, subject_id, nrb_guid, amount from difference
    union all
    select 'month', left(cast(month as text), 7), position, label, subject_type, subject_id, nrb_guid, amount from difference
), both_signs as (
    select scope, key, abs(amount) as size
    from item group by scope, key, abs(amount) having min(amount) < 0 and max(amount) > 0
), turn as (
    select i.scope, i.key, b.size, i.amount, i.label, i.subject_type, i.subject_id, i.nrb_guid,
        row_number() over (partition by i.scope, i.key, i.amount order by i.position, i.subject_id, i.nrb_guid) as turn
    from item as i
    join both_signs as b on b.scope = i.scope and b.key is not distinct from i.key and b.size = abs(i.amount)
)
select m.scope, m.key, m.size as amount, m.label as minus_label, m.subject_type as minus_type, m.subject_id as minus_id,
    m.nrb_guid as minus_nrb_guid, p.label as plus_label, p.subject_type as plus_type, p.subject_id as plus_id,
    p.nrb_guid as plus_nrb_guid
from turn as m
join turn as p on p.scope = m.scope and p.key is not distinct from m.key and p.size = m.size and p.turn = m.turn
where m.amount < 0 and p.amount > 0
