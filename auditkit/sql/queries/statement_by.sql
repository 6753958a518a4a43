-- The statement of each job, month, vendor or type ($by). NULL key: what has none.
select key, code, label, amount, gross, items, is_subtotal from statement where scope = $by order by key nulls last, position
