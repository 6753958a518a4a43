-- Leaves of which something that decides could not be read, so that nobody can say whether they are billed. total: their own total.
-- line: the amount of an issued line they are on. record: their flags or their mark, or an invoice that holds a name of theirs and whose
-- lines, number, guid or external id could not be read. A name of fewer than 4 characters, or a NULL one, is not looked for.
-- out: guid text, total flag, line flag, record flag
with own as (
    select u.subject_id as guid, u.column_name from unreadable_field as u where u.subject_type = 'nrb' and u.place = ''
), line as (
    select s.nrb_guid as guid
    from settled as s
    join unreadable_field as u on u.subject_type = 'invoice' and u.subject_id = s.jnid and u.position = s.position
        and u.table_name = 'invoice_item' and u.matters = 'money'
    join invoice_state as i on i.jnid = s.jnid and i.state_rank = 1
), hidden as (
    select p.subject_id as jnid, lower(p.body) as body
    from raw.partly_read as p
    left join invoice as i on i.jnid = p.subject_id
    where p.subject_type = 'invoice' and (i.jnid is null or exists (
        select 1 from unreadable_field as u
        where u.subject_type = 'invoice' and u.subject_id = p.subject_id and (
            (u.table_name = 'invoice_item' and coalesce(u.column_name, 'name') in ('name', 'description'))
            or (u.table_name = 'invoice' and u.column_name in ('number', 'guid', 'external_id')))))
), called as (
    select l.guid, lower(l.guid) as name from nrb_leaf as l
    union all
    select l.guid, lower(l.mark_text) from nrb_leaf as l
    union all
    select n.guid, lower(n.origin_reference) from nrb as n
    union all
    select n.guid, lower(n.external_id) from nrb as n
    union all
    select n.guid, lower(n.vendor_invoice_number) from nrb as n
), found as (
    select guid, 1 as of_total, 0 as of_line, 0 as of_record from own where column_name = 'total_after_markup'
    union all
    select guid, 0, 1, 0 from line
    union all
    select guid, 0, 0, 1 from own
    where column_name in ('is_internal', 'is_billable', 'account_type', 'billed_in_guid', 'billed_in_name')
    union all
    select c.guid, 0, 0, 1 from called as c join hidden as h on contains(h.body, c.name) where length(c.name) >= 4
)
select l.guid, max(f.of_total) = 1 as total, max(f.of_line) = 1 as line, max(f.of_record) = 1 as record
from nrb_leaf as l
join found as f on f.guid = l.guid
group by l.guid
