-- Every line with what matching needs: its words, whether it is labor or retention, its amount in cents (NULL counts as 0).
-- out: jnid text, position int, line_key text, words text, labor flag, retention flag, cents int, state_rank int
select t.jnid, t.position, t.line_key,
    coalesce(t.name, '') || ' ; ' || coalesce(t.description, '') as words,
    coalesce(folded(t.item_type), '') in ('labor', 'labour') as labor,
    is_retention(coalesce(t.name, '') || ' ' || coalesce(t.description, '')) as retention,
    whole_cents(coalesce(t.amount, 0)) as cents, s.state_rank
from invoice_item as t
join invoice_state as s on s.jnid = t.jnid
