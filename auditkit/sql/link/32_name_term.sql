-- What speaks for and against each pair that a name brings together, term by term, in points; docs/linking.md explains each.
-- Where a name is poor (a year, a date, few digits) or in a poor place (before a unit, after a month) it starts at 0, after a
-- document word at 1.
-- out: nrb_guid text, jnid text, position int, name text, rank int, form text, bearers int, away int, marked flag, labor flag,
--   retention flag, poor flag, said flag, same_amount flag, foreign_jobs int, line_cents int, cents int, state_rank int, start int,
--   document_word int, amount int, vendor int, mark int, loose int, part int, place int, labor_other int, size int, elsewhere int
with pair as (
    select p.nrb_guid, p.jnid, p.position, n.name, n.rank, n.form, n.bearers, n.bearers_cents, n.loose, p.away, p.marked,
        t.labor, t.retention, s.said, s.place_word, s.part, n.form = 'poor' or s.poor_place as poor,
        t.cents as line_cents, l.cents, t.state_rank, coalesce(f.jobs, 0) as foreign_jobs,
        abs(t.cents) = abs(l.cents) as same_amount,
        length(l.vendor_code) >= 4 and contains(visible_text(t.words), visible_text(l.vendor_code)) as names_vendor
    from name_pair as p
    join nrb_name as n on n.nrb_guid = p.nrb_guid and n.spelled = p.spelled
    join line_name as s on s.jnid = p.jnid and s.position = p.position and s.spelled = p.spelled
    join invoice_line as t on t.jnid = p.jnid and t.position = p.position
    join nrb_leaf as l on l.guid = p.nrb_guid
    left join foreign_name as f on f.spelled = p.spelled
), started as (
    select nrb_guid, jnid, position, name, rank, form, bearers, bearers_cents, loose, away, marked, labor, retention, said,
        place_word, part, poor, line_cents, cents, state_rank, foreign_jobs, same_amount, names_vendor,
        case when poor then case when said and rank <= 2 then 1 else 0 end
            when rank = 1 then case when form = 'distinct' then 4 else 3 end
            when rank = 2 then case when form = 'distinct' then 3 else 2 end
            when rank = 3 then case when form = 'distinct' then 3 else 1 end
            else case when form = 'distinct' then 1 else 0 end end as start
    from pair
)
select nrb_guid, jnid, position, name, rank, form, bearers, away, marked, labor, retention, poor, said, same_amount, foreign_jobs,
    line_cents, cents, state_rank, start,
    case when said and start < 4 then 1 else 0 end as document_word,
    case when same_amount then 2 when abs(abs(line_cents) - abs(cents)) * 20 <= abs(cents) then 1 else 0 end as amount,
    case when names_vendor then 1 else 0 end as vendor,
    case when marked then 2 else 0 end as mark,
    -loose as loose,
    case when part then -1 else 0 end as part,
    case when place_word then -1 else 0 end as place,
    case when labor and not same_amount then -2 else 0 end as labor_other,
    case when rank >= 2 and not marked
            and (abs(line_cents) * 20 < abs(cents) * 3 or abs(line_cents) * 2 > bearers_cents * 3) then -1 else 0 end as size,
    -least(foreign_jobs, 2) - case when away = 2 then 1 when away = 3 then 2 else 0 end as elsewhere
from started
