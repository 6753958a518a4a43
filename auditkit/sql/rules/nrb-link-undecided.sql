-- id: nrb-link-undecided
-- title: Not decided which line carries it
-- assertion: completeness
-- severity: medium
-- subject: nrb
-- out: subject_id text, job_number text, amount_at_risk money, reason text, state text, candidates int, candidate_lines text, line_keys text
-- key: state, line_keys
-- why: Lines may carry this cost, but nothing proves it: until somebody decides, nobody knows whether it was billed.
-- remedy: Look at the candidates (`auditkit links`): confirm the line that carries it, forbid those that do not, or decide that it is on none of them.
-- note: Billable leaves that a line names, though not surely; that share a name or an amount with others; whose mark fits several invoices; or
--   whose invoice has no readable line or could not be read. They are never planned as unbilled. Where all candidates are lines of another job
--   that hold a reference of its own, nrb-other-job asks. A NULL total fires.
with candidate as (
    select u.nrb_guid, count(*) as candidates,
        string_agg(u.jnid || '/' || cast(u.position as text), ' ' order by u.jnid, u.position) as candidate_lines,
        string_agg(t.line_key, ' ' order by t.line_key) as line_keys, min(u.reason) as reason,
        min(case when e.away = 3 and e.name_rank = 1 then 1 else 0 end) as is_away,
        max(case when e.points >= 2 and i.state = 'issued' then 1 else 0 end) as is_strong
    from undecided as u
    join invoice_status as i on i.jnid = u.jnid
    join invoice_item as t on t.jnid = u.jnid and t.position = u.position
    left join evidence as e on e.nrb_guid = u.nrb_guid and e.jnid = u.jnid and e.position = u.position and e.kind = 'name'
    group by u.nrb_guid
)
select s.guid as subject_id, s.job_number, s.total as amount_at_risk,
    case s.state when 'marked_several' then 'its mark fits several invoices'
        when 'unreadable' then case when i.jnid is null then 'it, or an invoice that names it, could not be read as a whole'
            else 'its invoice ' || coalesce(i.number, i.jnid) || ' has no line that can be read' end
        else c.reason end as reason,
    s.state, coalesce(c.candidates, 0) as candidates, coalesce(c.candidate_lines, '') as candidate_lines, coalesce(c.line_keys, '') as line_keys
from nrb_status as s
left join candidate as c on c.nrb_guid = s.guid
left join invoice as i on i.jnid = s.found_jnid
where (s.state = 'undecided' and not (c.is_away = 1 and c.is_strong = 1)) or s.state in ('marked_several', 'unreadable')
