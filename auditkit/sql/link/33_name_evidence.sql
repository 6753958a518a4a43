-- The strength of each pair in points, its best name alone, with the limits that no sum of terms may pass: retention 1; a poor name
-- without a document word 1; a poor name of another amount 2; a common name of another amount, away from its job, 0; a purchase
-- order 1; another job 2; labor of another amount 2; a job that is only suggested 2, unless the name is a distinct one of its own.
-- out: nrb_guid text, jnid text, position int, name text, rank int, form text, bearers int, away int, marked flag, labor flag,
--   retention flag, same_amount flag, foreign_jobs int, line_cents int, cents int, state_rank int, terms text, points int
with summed as (
    select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs,
        line_cents, cents, state_rank,
        start + document_word + amount + vendor + mark + loose + part + place + labor_other + size + elsewhere as total,
        case when retention then 1
            when poor and not said then 1
            when away >= 2 and form <> 'distinct' and not marked and amount = 0 then 0
            when away = 3 and poor then 1
            when poor and not same_amount then 2
            when rank = 4 then 1
            when away = 3 then 2
            when labor and not same_amount then 2
            when away = 1 and not marked and not (rank = 1 and form = 'distinct') then 2
            else 9 end as most,
        case rank when 1 then 'own reference ' when 2 then 'vendor''s invoice number ' when 3 then 'its parent''s reference '
                else 'purchase order or WBS ' end || name || ' (' || form || ')' || case when poor and form <> 'poor' then ' in a poor place'
                else '' end || ' ' || cast(start as text)
            || case when document_word <> 0 then ', after a document word +1' else '' end
            || case amount when 2 then ', the same amount +2' when 1 then ', an amount within 5 % +1' else '' end
            || case when vendor <> 0 then ', the vendor''s code +1' else '' end
            || case when mark <> 0 then ', the NRB is marked with this invoice +2' else '' end
            || case when loose <> 0 then ', loosely spelled -1' else '' end
            || case when part <> 0 then ', part of a longer token -1' else '' end
            || case when place <> 0 then ', after a word such as unit or station -1' else '' end
            || case when labor_other <> 0 then ', a labor line of another amount -2' else '' end
            || case when size <> 0 then ', an amount far from the NRB''s -1' else '' end
            || case when elsewhere <> 0 then ', ' || case when away = 3 then 'on another job''s invoice'
                    when away = 2 then 'on an invoice without a job' else 'the name means something else on other jobs'' lines' end
                || ' ' || cast(elsewhere as text) else '' end as terms
    from name_term
), pointed as (
    select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs,
        line_cents, cents, state_rank, case when total > most then terms || ', at most ' || cast(most as text) else terms end as terms,
        greatest(least(total, most), 0) as points
    from summed
), ranked as (
    select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs,
        line_cents, cents, state_rank, terms, points,
        row_number() over (partition by nrb_guid, jnid, position order by points desc, rank, name) as turn
    from pointed
)
select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, same_amount, foreign_jobs, line_cents,
    cents, state_rank, terms, points
from ranked
where turn = 1
