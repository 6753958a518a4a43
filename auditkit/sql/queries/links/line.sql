-- The lines that a person may mean by $text, a whole invoice (NULL position) or INVOICE/LINE, by the invoice's id or number.
select i.jnid, cast(null as integer) as position, cast(null as varchar) as line_key
from invoice as i
where $text in (i.jnid, i.number)
union all
select i.jnid, t.position, t.line_key
from invoice as i join invoice_item as t on t.jnid = i.jnid
where $text in (i.jnid || '/' || t.position, i.number || '/' || t.position)
order by 1, 2
